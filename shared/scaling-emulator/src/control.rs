//! Paths under `/_emulator/`.
