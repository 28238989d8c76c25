//! End-to-end tests with real clients on real sockets.
