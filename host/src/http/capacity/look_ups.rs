//! Look-ups that callers without a token can cause. Questions that arrive at the same time are looked up together.
//!
//! One round works at a time. A question that comes meanwhile waits for the next round, so no answer is older than its
//! question. Nothing is refused and there is no queue with an end: one connection waits for one answer at most, and
//! connections are bounded. So many questions of strangers make a round longer by their look-ups and never keep the
//! holder of a token out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::http::problem::Refusal;

/// Questions of one kind, answered in rounds. A copy asks in the same rounds.
pub(in crate::http) struct LookUps<Q, A>(Arc<Rounds<Q, A>>);

impl<Q, A> Clone for LookUps<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Rounds<Q, A> {
    line: Mutex<Line<Q, A>>,
    look_up: Box<dyn Fn(Vec<Q>) -> Vec<A> + Send + Sync>,
}

/// What waits for the next round.
struct Line<Q, A> {
    asked: Vec<(Q, oneshot::Sender<A>)>,
    is_working: bool,
}

impl<Q: Send + 'static, A: Send + 'static> LookUps<Q, A> {
    /// Each question is answered by `look_up`, which may block.
    pub(in crate::http) fn each(look_up: impl Fn(Q) -> A + Send + Sync + 'static) -> Self {
        Self::new(move |questions| questions.into_iter().map(&look_up).collect())
    }

    fn new(look_up: impl Fn(Vec<Q>) -> Vec<A> + Send + Sync + 'static) -> Self {
        let line = Mutex::new(Line { asked: Vec::new(), is_working: false });
        Self(Arc::new(Rounds { line, look_up: Box::new(look_up) }))
    }

    /// The answer to `question`, looked up after this was called.
    pub(in crate::http) async fn ask(&self, question: Q) -> Result<A, Refusal> {
        let (tell, told) = oneshot::channel();
        let was_working = {
            let mut line = self.0.line();
            line.asked.push((question, tell));
            std::mem::replace(&mut line.is_working, true)
        };
        if !was_working {
            // A task of its own, since the caller who began it may go away while others wait.
            tokio::spawn(Arc::clone(&self.0).work());
        }
        told.await.map_err(|_| Refusal::internal())
    }
}

impl<A: Clone + Send + 'static> LookUps<(), A> {
    /// One answer of `look_up` for all who wait. It may block.
    pub(in crate::http) fn once(look_up: impl Fn() -> A + Send + Sync + 'static) -> Self {
        Self::new(move |questions| if questions.is_empty() { Vec::new() } else { vec![look_up(); questions.len()] })
    }
}

impl<Q: Send + 'static, A: Send + 'static> Rounds<Q, A> {
    fn line(&self) -> MutexGuard<'_, Line<Q, A>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until no question waits.
    async fn work(self: Arc<Self>) {
        loop {
            let asked = {
                let mut line = self.line();
                if line.asked.is_empty() {
                    line.is_working = false;
                    return;
                }
                std::mem::take(&mut line.asked)
            };
            let rounds = Arc::clone(&self);
            let round = tokio::task::spawn_blocking(move || {
                let waits = asked.into_iter().filter(|(_, tell)| !tell.is_closed());
                let (questions, callers): (Vec<_>, Vec<_>) = waits.unzip();
                for (tell, answer) in callers.into_iter().zip((rounds.look_up)(questions)) {
                    // A caller who has gone need not be told.
                    let _ = tell.send(answer);
                }
            });
            if let Err(error) = round.await {
                tracing::error!(%error, "a look-up broke off");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Look-ups that wait to be let go on, and tell what each round was asked.
    fn held() -> (LookUps<u32, u32>, mpsc::Receiver<Vec<u32>>, mpsc::Sender<()>) {
        let ((begun, begins), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel::<()>());
        let goes_on = Mutex::new(goes_on);
        let look_ups = LookUps::new(move |questions: Vec<u32>| {
            begun.send(questions.clone()).unwrap();
            goes_on.lock().unwrap().recv().unwrap();
            questions.into_iter().map(|question| question + 1000).collect()
        });
        (look_ups, begins, go_on)
    }

    async fn until(is_so: impl Fn() -> bool) {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn whatever_is_asked_during_a_round_is_looked_up_in_the_next_at_once() {
        let (look_ups, begins, go_on) = held();
        let ask = |question| {
            let look_ups = look_ups.clone();
            tokio::spawn(async move { look_ups.ask(question).await.unwrap() })
        };
        let first = ask(0);
        until(|| look_ups.0.line().asked.is_empty() && look_ups.0.line().is_working).await;
        let others: Vec<_> = (1..=600).map(ask).collect();
        until(|| look_ups.0.line().asked.len() == 600).await;
        go_on.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 1000);
        let gone = &others[..100];
        gone.iter().for_each(tokio::task::JoinHandle::abort);
        go_on.send(()).unwrap();
        for (question, other) in (1..).zip(others).skip(100) {
            assert_eq!(other.await.unwrap(), question + 1000);
        }
        until(|| !look_ups.0.line().is_working).await;
        let rounds: Vec<usize> = begins.try_iter().map(|asked| asked.len()).collect();
        assert_eq!(rounds.len(), 2, "{rounds:?}");
    }

    #[tokio::test]
    async fn one_answer_serves_all_and_a_look_up_that_breaks_is_over() {
        let looked = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&looked);
        let look_ups = LookUps::once(move || {
            let mut looked = counted.lock().unwrap_or_else(PoisonError::into_inner);
            *looked += 1;
            assert!(*looked != 1, "the first breaks");
            *looked
        });
        assert_eq!(look_ups.ask(()).await.unwrap_err().status().as_u16(), 500);
        assert_eq!(look_ups.ask(()).await.unwrap(), 2);
        let (one, other) = tokio::join!(look_ups.ask(()), look_ups.ask(()));
        assert_eq!((one.unwrap(), other.unwrap()), (3, 3));
    }
}
