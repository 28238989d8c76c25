//! The scaling algorithms people use today, pure, for comparison and for the emulator.
