/**
 * What the broker sets itself against Apache Kafka in the same run, by row: times better at least. A row that falls
 * short is shown as such.
 */
export const goals = {
  'produce 1KB 1MB-batches MB/s': 2.5,
  'produce 1KB CPU-s/GB': 4,
  'produce 100B CPU-s/GB': 5,
  'small requests/s': 5,
  'tail consume MB/s': 1.5,
  'tail consume CPU-s/GB': 2,
  'latency p50 30%': 4,
  'latency p99 30%': 5,
  'latency p99.9 30%': 3,
  'flush 64 producers 256 partitions rec/s': 10,
  '1000 partitions create+write s': 10,
}

/** Rows of ours alone: no more than so much. */
export const bounds = { "replay: producers' p99 during it, times that without": 1.3 }
