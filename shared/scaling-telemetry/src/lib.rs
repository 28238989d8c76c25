//! Logs, Prometheus metrics and CloudWatch embedded metric format.
