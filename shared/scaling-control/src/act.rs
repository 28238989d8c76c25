//! Carrying one step out: take the lease together with the plan, ask, record.
//!
//! ```text
//! put(record with lease and plan, expected version)   conflict: somebody else is quicker, nothing is asked
//! apply(step)                                         one cloud call, wanted values
//! put(record without lease, what came of it)          lost: the next evaluation reads the group and goes on
//! append(operation, decision)                         history
//! ```

use std::sync::Arc;
use std::time::Duration;

use scaling_policy::operation::{Operation, Phase, Step};

use crate::bookkeeping::{self, End};
use crate::control_loop::outcome;
use crate::error::PortError;
use crate::pass::{Pass, Slot};
use crate::ports::{Expected, NewRecord};
use crate::ports_set::Ports;
use crate::reading::within;
use crate::record::{self, GroupRecord, HISTORY, Lease};
use crate::report::{GroupOutcome, Outcome};

/// How long a lease lasts: longer than a function may run (50 s) and than one step with all its retries.
pub const LEASE: Duration = Duration::from_secs(90);

/// Longest time that a step with all its retries may take. A step is not begun when less of the lease is left.
pub const LONGEST_STEP: Duration = Duration::from_secs(40);

/// Longest time that one write of the store may take.
pub(crate) const LONGEST_WRITE: Duration = Duration::from_secs(20);

/// Stores what a pass has come to, and carries its step out where it has one.
pub(crate) async fn act(ports: Ports, mut pass: Pass) -> GroupOutcome {
    let config = pass.read.config.clone();
    match carry_out(&ports, &mut pass).await {
        Ok((acted, step_error)) => outcome(pass, acted, step_error),
        Err(PortError::Conflict { .. }) => {
            GroupOutcome { config, result: Outcome::Busy, acted: None, ended: vec![] }
        }
        Err(error) => GroupOutcome { config, result: Outcome::Failed(error), acted: None, ended: vec![] },
    }
}

type Acted = (Option<Operation>, Option<Arc<PortError>>);

/// Errors up to the platform's answer are the outcome's: nothing was changed. After it, what was changed is told even
/// where it could not be recorded; the next evaluation reads the group and goes on from there.
async fn carry_out(ports: &Ports, pass: &mut Pass) -> Result<Acted, PortError> {
    let step = pass.step.take();
    if step.is_some() {
        let owner = uuid::Uuid::new_v4().simple().to_string();
        pass.read.record.lease = Some(Lease { owner, until: pass.now + LEASE });
    } else {
        pass.read.record.lease = None;
    }
    store(ports, pass).await?;
    let asked = pass.read.record.clone();
    let mut acted = None;
    let mut step_error = None;
    if let Some((slot, step)) = step {
        let result = ask(ports, pass, &step).await;
        step_error = result.as_ref().err().map(|error| Arc::new(error.for_another()));
        acted = settle(ports, pass, (slot, &step), result);
        pass.read.record.lease = None;
        if let Err(error) = store_answer(ports, pass, &asked).await {
            step_error = Some(unrecorded(pass, &error));
        }
    }
    if let Err(error) = write_history(ports, pass, acted.as_ref()).await {
        step_error = Some(unrecorded(pass, &error));
    }
    Ok((acted, step_error))
}

fn unrecorded(pass: &Pass, error: &PortError) -> Arc<PortError> {
    let group = &pass.read.config.name;
    tracing::error!(target: "scaling::integration", %group, %error, "what was done could not be recorded");
    Arc::new(PortError::Unavailable {
        operation: "recording what was done",
        message: error.to_string(),
        source: None,
    })
}

/// Writes the group's record on the version that was read, and with it, the first time, what goes along.
async fn store(ports: &Ports, pass: &mut Pass) -> Result<(), PortError> {
    let read = &mut pass.read;
    read.record.learned_at = Some(pass.now);
    if pass.new_decision {
        let decision = &pass.decision;
        let labels = (decision.action.label().to_owned(), decision.reason.label().to_owned());
        read.record.last_decision = Some(labels);
        read.record.last_in_force.clone_from(&decision.in_force);
    }
    let record = NewRecord {
        key: record::group_key(&read.config.name),
        body: record::to_json("store a group", &read.record)?,
        expires: None,
    };
    let expected = read.version.map_or(Expected::Absent, Expected::Version);
    let along = std::mem::take(&mut pass.along);
    let put = async {
        if along.is_empty() {
            return ports.store.put(record, expected).await;
        }
        ports.store.put_with(record, expected, along).await
    };
    read.version = Some(within(LONGEST_WRITE, "store a group", put).await?);
    Ok(())
}

/// Writes what came of a step. A person who changed the record meanwhile has been answered that it is so: what was set
/// stays, and what came of the step is written beside it.
async fn store_answer(ports: &Ports, pass: &mut Pass, asked: &GroupRecord) -> Result<(), PortError> {
    let conflict = match store(ports, pass).await {
        Err(error @ PortError::Conflict { .. }) => error,
        done => return done,
    };
    let key = record::group_key(&pass.read.config.name);
    let stored = within(LONGEST_WRITE, "read a group's record", ports.store.get(&key)).await?;
    let Some(stored) = stored else { return Err(conflict) };
    let theirs = record::group_from_json(&key, &stored.body)?;
    if theirs.lease != asked.lease {
        return Err(conflict);
    }
    let ours = &mut pass.read.record;
    (ours.state.pause, ours.state.temporary) = (theirs.state.pause, theirs.state.temporary);
    if theirs.state.breaker != asked.state.breaker {
        ours.state.breaker = theirs.state.breaker;
    }
    if theirs.learned.recalled != asked.learned.recalled {
        ours.learned = theirs.learned;
    }
    pass.read.version = Some(stored.version);
    store(ports, pass).await
}

async fn ask(ports: &Ports, pass: &Pass, step: &Step) -> Result<crate::ports::Accepted, PortError> {
    let until = pass.read.record.lease.as_ref().map(|lease| lease.until);
    let late = until.is_none_or(|until| ports.clock.now() + LONGEST_STEP > until);
    if late {
        // We were held up: somebody else may take the group over before we are done.
        let message = "too little of the lease is left".to_owned();
        return Err(PortError::Conflict { operation: "apply", message });
    }
    within(LONGEST_STEP, "apply a step", ports.writer.apply(&pass.read.config, step)).await
}

/// Records in the state what came of a step. Returns the operation as it is then.
fn settle(
    ports: &Ports,
    pass: &mut Pass,
    (slot, step): (Slot, &Step),
    result: Result<crate::ports::Accepted, PortError>,
) -> Option<Operation> {
    let now = ports.clock.now();
    let mut operation = pass.operation_mut(slot).take()?;
    match result {
        Ok(answer) => {
            bookkeeping::accepted(&mut operation, step, answer, now).apply(&mut pass.read.record.state);
            if operation.phase != Phase::Planned {
                // However long the plan had to wait: a description lags behind the answer by a period.
                operation.valid_for = pass.read.config.evaluation_period;
            }
        }
        Err(PortError::NotFound { what }) => {
            let end = End { phase: Phase::Failed, why: format!("{what} was not found"), now };
            bookkeeping::ended(&mut pass.read.record.state, &pass.read.config.clone(), &mut operation, end);
        }
        Err(PortError::Conflict { message, .. }) => {
            let period = pass.read.config.evaluation_period;
            bookkeeping::met_another_change(&mut operation, message, period, now);
        }
        Err(error) => {
            operation.conflicting_since = None;
            bookkeeping::refused(&mut operation, error.to_string(), now);
        }
    }
    *pass.operation_mut(slot) = Some(operation.clone());
    Some(operation)
}

/// Appends the decision, where it differs from the last stored one, and every operation that changed. A lost
/// history write loses an explanation, never a change.
async fn write_history(ports: &Ports, pass: &Pass, acted: Option<&Operation>) -> Result<(), PortError> {
    let mut records = Vec::new();
    if pass.new_decision {
        records.push(record::decision_record(&pass.decision)?);
    }
    for operation in pass.ended.iter().chain(acted) {
        records.push(record::operation_entry(&pass.read.config.name, operation, pass.now + HISTORY)?);
    }
    if records.is_empty() {
        return Ok(());
    }
    within(LONGEST_WRITE, "append history", ports.store.append(records)).await
}

#[cfg(test)]
mod tests {
    use scaling_policy::config::LONGEST_PROGRAM;

    use super::*;
    use crate::reading::LONGEST_READ;

    #[test]
    fn a_step_and_the_write_before_it_end_inside_the_lease() {
        assert!(LONGEST_WRITE + LONGEST_STEP < LEASE);
    }

    #[test]
    fn a_program_has_ended_before_its_step_or_reading_is_given_up() {
        assert!(LONGEST_PROGRAM < LONGEST_STEP);
        assert!(LONGEST_PROGRAM < LONGEST_READ);
    }
}
