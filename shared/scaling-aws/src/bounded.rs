//! Runs calls side by side, a few at a time.

use std::collections::HashMap;
use std::future::Future;

use scaling_control::PortError;
use tokio::task::JoinSet;
use tracing::Instrument;

/// Calls under way at the same time, of one reading. Few enough to stay far below the services' request rates
/// (CloudWatch allows 50 GetMetricData calls a second), enough to hide the round trips.
pub(crate) const AT_ONCE: usize = 4;

/// Runs the calls, at most [`AT_ONCE`] together, and returns their results in the order of the calls. The first
/// failure is returned at once; what is still running is dropped.
pub(crate) async fn in_order<T, F>(
    operation: &'static str,
    calls: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, PortError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PortError>> + Send + 'static,
{
    run(operation, calls, Result::is_err).await.into_iter().collect()
}

/// Runs the calls, at most [`AT_ONCE`] together, all to their end, and returns in the order of the calls what became of
/// each: a failure takes no other call with it.
pub(crate) async fn each<T, F>(
    operation: &'static str,
    calls: impl IntoIterator<Item = F>,
) -> Vec<Result<T, PortError>>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PortError>> + Send + 'static,
{
    run(operation, calls, |_| false).await
}

/// Runs the calls until all have ended, or one has ended that is the `last` one to wait for.
async fn run<T, F>(
    operation: &'static str,
    calls: impl IntoIterator<Item = F>,
    last: impl Fn(&Result<T, PortError>) -> bool,
) -> Vec<Result<T, PortError>>
where
    T: Send + 'static,
    F: Future<Output = Result<T, PortError>> + Send + 'static,
{
    let mut waiting = calls.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut places = HashMap::new();
    let mut results = Vec::new();
    loop {
        for (place, call) in waiting.by_ref().take(AT_ONCE - running.len()) {
            let task = running.spawn(call.in_current_span());
            places.insert(task.id(), place);
        }
        let (task, result) = match running.join_next_with_id().await {
            None => break,
            Some(Ok(ended)) => ended,
            Some(Err(stopped)) => {
                let message = "the call was stopped".to_owned();
                let task = stopped.id();
                let source = Some(stopped.into());
                (task, Err(PortError::Unavailable { operation, message, source }))
            }
        };
        let ends = last(&result);
        results.push((places.remove(&task), result));
        if ends {
            break;
        }
    }
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn results_come_in_the_order_of_the_calls_and_only_a_few_run_together() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let calls = (0..20_u64).map(|number| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100 - number)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(number)
            }
        });
        let results = in_order("Test", calls).await.unwrap();
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_ends_the_rest() {
        let started = Arc::new(AtomicUsize::new(0));
        let calls = (0..20_u64).map(|number| {
            let started = Arc::clone(&started);
            async move {
                started.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(number)).await;
                Err::<(), _>(PortError::Throttled { operation: "Test" })
            }
        });
        let error = in_order("Test", calls).await.unwrap_err();
        assert_eq!(error.kind(), "throttled");
        assert_eq!(started.load(Ordering::SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn where_each_counts_a_failure_takes_no_other_call_with_it() {
        let calls = (0..20_u64).map(|number| async move {
            tokio::time::sleep(Duration::from_millis(100 - number)).await;
            assert_ne!(number, 7, "a fault in an adapter");
            if number == 3 { Err(PortError::Throttled { operation: "Test" }) } else { Ok(number) }
        });
        let results = each("Test", calls).await;
        let kinds: Vec<_> = results.iter().map(|result| result.as_ref().map_err(PortError::kind)).collect();
        let expected = (0..20_u64).map(|number| match number {
            3 => Err("throttled"),
            7 => Err("unavailable"),
            _ => Ok(number),
        });
        let expected: Vec<_> = expected.collect();
        assert_eq!(kinds.iter().map(|kind| kind.copied()).collect::<Vec<_>>(), expected);
    }
}
