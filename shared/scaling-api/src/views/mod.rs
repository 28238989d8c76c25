//! What answers look like on the wire. They borrow from the domain and name every member, so that the interface
//! changes only where somebody changes it here.

mod decision;
mod group;
mod operation;

pub(crate) use decision::DecisionView;
pub(crate) use group::{GroupView, is_in_force};
pub(crate) use operation::OperationView;
