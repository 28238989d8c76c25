//! Real clients against the emulator on real sockets.
