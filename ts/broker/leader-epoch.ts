import { stackless } from '../errors/stackless.js'
import { protocolError } from '../protocol/errors.js'
import type { PartitionLog } from './partition-log.js'

/** Compares the leader epoch a client believes in (-1: unchecked). Throws FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH. */
export function checkLeaderEpoch(log: PartitionLog, epoch: number): void {
  if (epoch === -1 || epoch === log.leaderEpoch) return
  const name = epoch < log.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
  const message = `the request was made for leader epoch ${epoch}, the partition is at ${log.leaderEpoch}`
  throw stackless(() => protocolError(name, message, { topic: log.topic, partition: log.partition }))
}
