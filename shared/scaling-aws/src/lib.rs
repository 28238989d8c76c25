//! AWS adapters: Auto Scaling groups and CloudWatch metrics behind the ports.
