//! The controller as a library: assembly of ports, loop, API and telemetry.
