//! A server's memory over time.

use std::time::Duration;

use gateways::router::cost::Cost;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);

/// Resident memory of all processes of a server, in KB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Before the first message.
    pub idle_kb: u64,
    /// The most that was seen.
    pub peak_kb: u64,
    /// After the last message.
    pub after_kb: u64,
}

/// Looks at the memory of these processes as long as something else goes on.
pub async fn during<T>(processes: &[u32], work: impl Future<Output = T>) -> (T, Memory) {
    let idle_kb = Cost::sum(processes).resident_kb;
    let mut memory = Memory { idle_kb, peak_kb: idle_kb, after_kb: idle_kb };
    let looks = async {
        let mut every = tokio::time::interval(EVERY);
        loop {
            every.tick().await;
            memory.peak_kb = memory.peak_kb.max(Cost::sum(processes).resident_kb);
        }
    };
    let done = tokio::select! {
        done = work => done,
        never = looks => never,
    };
    let cost = Cost::sum(processes);
    // Linux keeps the most that a process ever had, between two looks as well.
    memory.peak_kb = memory.peak_kb.max(cost.peak_kb);
    memory.after_kb = cost.resident_kb;
    (done, memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_peak_is_seen_though_it_is_gone_at_the_end() {
        let us = [std::process::id()];
        let work = async {
            let block = vec![1_u8; 64 << 20];
            tokio::task::yield_now().await;
            std::hint::black_box(block).len()
        };
        let (length, memory) = during(&us, work).await;
        assert_eq!(length, 64 << 20);
        assert!(memory.peak_kb >= memory.idle_kb.max(memory.after_kb), "{memory:?}");
        assert!(memory.peak_kb >= 64 << 10, "{memory:?}");
    }
}
