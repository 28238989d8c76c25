//! Runs calls side by side, a few at a time.

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
    let mut waiting = calls.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    loop {
        for (place, call) in waiting.by_ref().take(AT_ONCE - running.len()) {
            running.spawn(async move { (place, call.await) }.in_current_span());
        }
        match running.join_next().await {
            None => break,
            Some(Ok((place, result))) => results.push((place, result?)),
            Some(Err(stopped)) => {
                return Err(PortError::Unavailable {
                    operation,
                    message: "the call was stopped".to_owned(),
                    source: Some(Box::new(stopped)),
                });
            }
        }
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
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
}
