use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

struct Server {
    answers: Answers,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn new(keep: Duration) -> Self {
        Self {
            answers: Answers::new(keep),
            asked: Arc::default(),
        }
    }

    async fn ask(&self, token: &str, active: bool) {
        let asked = Arc::clone(&self.asked);
        let answer = async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(if active {
                Answer::Active(Arc::default())
            } else {
                Answer::Inactive
            })
        };
        let answer = self.answers.get(&BearerToken::new(token), answer).await;
        let answer = answer.unwrap().unwrap();
        assert_eq!(matches!(*answer, Answer::Active(_)), active);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn good_answers_are_kept_for_their_time_and_bad_ones_never() {
    let server = Server::new(MINUTE);
    for (token, active, after, asked) in [
        ("a", true, 0, 1),
        ("a", true, 59, 1),
        ("b", true, 0, 2),
        ("a", true, 1, 3),
        ("bad", false, 0, 4),
        ("bad", false, 0, 5),
    ] {
        tokio::time::advance(Duration::from_secs(after)).await;
        server.ask(token, active).await;
        assert_eq!(server.asked(), asked, "{token} {after}");
    }
}

#[tokio::test]
async fn without_a_time_nothing_is_kept() {
    let server = Server::new(Duration::ZERO);
    server.ask("a", true).await;
    server.ask("a", true).await;
    assert_eq!(server.asked(), 2);
    assert_eq!(lock(&server.answers.state).kept.len(), 0);
    assert_eq!(lock(&server.answers.state).open.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_answers_make_room() {
    let server = Server::new(MINUTE);
    for number in 0..MAX_KEPT + 10 {
        server.ask(&number.to_string(), true).await;
    }
    let sizes = || {
        let state = lock(&server.answers.state);
        (state.kept.len(), state.order.len())
    };
    assert_eq!(sizes(), (MAX_KEPT, MAX_KEPT));
    let before = server.asked();
    server.ask(&(MAX_KEPT + 9).to_string(), true).await;
    assert_eq!(server.asked(), before);
    server.ask("0", true).await;
    assert_eq!(server.asked(), before + 1);
}

#[tokio::test]
async fn a_question_that_panics_is_asked_again_by_the_next() {
    let server = Server::new(Duration::ZERO);
    let token = BearerToken::new("a");
    assert!(server.answers.get(&token, async { panic!("test") }).await.is_none());
    server.ask("a", true).await;
}
