//! The REST interface: routes over the control loop, problem details.
