import { protocolError } from '../../../protocol/errors.js'
import type { ConsumerGroupHeartbeatRequest } from '../../../protocol/messages/68-consumer-group-heartbeat.js'
import { awayEpoch } from './consumer-member.js'

/** From here on clients make their member ids themselves. */
const clientMakesIdSince = 1

/** Throws INVALID_REQUEST for what no member may say, UNSUPPORTED_ASSIGNOR. */
export function checkHeartbeat(
  request: ConsumerGroupHeartbeatRequest,
  version: number,
  assignors: readonly string[],
): void {
  const { groupId, memberId, memberEpoch, instanceId, rackId, serverAssignor } = request
  const needsId = version >= clientMakesIdSince || memberEpoch > 0 || memberEpoch === -1
  if (needsId && memberId === '') throw invalid('a member has an id')
  if (groupId === '') throw invalid('a group id must not be empty')
  if (instanceId === '') throw invalid('an instance id must not be empty; null stands for none')
  if (rackId === '') throw invalid('a rack must not be empty; null stands for none')
  if (memberEpoch === 0) checkJoin(request)
  else if (memberEpoch === awayEpoch && instanceId === null) throw invalid('only static members go away for a while')
  else if (memberEpoch < awayEpoch) throw invalid(`${memberEpoch} is no member epoch`)
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    const message = `assignors are ${assignors.join(', ')}, not ${JSON.stringify(serverAssignor)}`
    throw protocolError('UNSUPPORTED_ASSIGNOR', message)
  }
}

function checkJoin(request: ConsumerGroupHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) throw invalid('a member that joins says its rebalance timeout')
  if (request.topicPartitions?.length !== 0) throw invalid('a member that joins has no partitions, and says so')
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid('a member that joins says what it subscribes to: names or a regular expression')
  }
}

function invalid(message: string): Error {
  return protocolError('INVALID_REQUEST', message)
}
