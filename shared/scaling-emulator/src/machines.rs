//! What an instance type is made of.
