#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::time::{advance, sleep};

use super::*;

impl<T: Send + Sync + 'static> Remote<T> {
    /// Asks for a newer value than the current one.
    async fn get(&self) -> Outcome<T> {
        self.fetch(self.current().as_ref()).await
    }
}

/// A value that takes a second to fetch, how often it was fetched, and whether fetching fails.
fn slow_value() -> (Remote<usize>, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let (fetches, broken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counter, switch) = (Arc::clone(&fetches), Arc::clone(&broken));
    let remote = Remote::new("https://as.example.com", move || {
        let (counter, switch) = (Arc::clone(&counter), Arc::clone(&switch));
        async move {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(Duration::from_secs(1)).await;
            match switch.load(Ordering::SeqCst) {
                true => Err(AuthorizationServerError::Interrupted {
                    issuer: "test".to_owned(),
                }),
                false => Ok(number),
            }
        }
    });
    (remote, fetches, broken)
}

#[tokio::test(start_paused = true)]
async fn a_herd_shares_one_fetch() {
    let (remote, fetches, _) = slow_value();
    let waiting: Vec<_> = (0..200)
        .map(|_| {
            let remote = remote.clone();
            tokio::spawn(async move { remote.get().await.unwrap().value })
        })
        .collect();
    for request in waiting {
        assert_eq!(request.await.unwrap(), 1);
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_outlives_the_request_that_started_it() {
    let (remote, fetches, _) = slow_value();
    let first = tokio::spawn({
        let remote = remote.clone();
        async move { remote.get().await.map(|fetched| fetched.value).ok() }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(remote.get().await.unwrap().value, 1);
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_pause_from_one_second_doubling_to_thirty() {
    let (remote, fetches, broken) = slow_value();
    broken.store(true, Ordering::SeqCst);
    for (round, seconds) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
        assert_eq!(
            remote.get().await.unwrap_err().retry_after,
            Duration::from_secs(seconds)
        );
        advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
        assert_eq!(
            remote.get().await.unwrap_err().retry_after,
            Duration::from_millis(1),
            "answered at once"
        );
        assert_eq!(fetches.load(Ordering::SeqCst), round + 1);
        advance(Duration::from_millis(1)).await;
    }
    broken.store(false, Ordering::SeqCst);
    assert_eq!(remote.get().await.unwrap().value, 8);
    broken.store(true, Ordering::SeqCst);
    assert_eq!(
        remote.get().await.unwrap_err().retry_after,
        FIRST_PAUSE,
        "a success resets the pause"
    );
    assert_eq!(remote.current().unwrap().value, 8, "a failure keeps the last value");
}

#[test]
fn a_fetch_that_died_with_its_runtime_is_started_again() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let (remote, fetches, _) = slow_value();
    runtime().block_on(async {
        drop(tokio::spawn({
            let remote = remote.clone();
            async move { remote.get().await.map(|fetched| fetched.value).ok() }
        }));
        tokio::task::yield_now().await;
    });
    assert_eq!(runtime().block_on(remote.get()).unwrap().value, 2);
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

/// Between looking at the current value and asking for a fetch, the fetch of another thread can land.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_on_many_threads_shares_one_fetch_that_is_over_at_once() {
    for _ in 0..50 {
        let fetches = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&fetches);
        let remote = Remote::new("https://as.example.com", move || {
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok::<_, AuthorizationServerError>(()))
        });
        let herd: Vec<_> = (0..100)
            .map(|_| {
                let remote = remote.clone();
                tokio::spawn(async move {
                    if remote.current().is_none() {
                        remote.fetch(None).await.unwrap();
                    }
                })
            })
            .collect();
        for request in herd {
            request.await.unwrap();
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }
}
