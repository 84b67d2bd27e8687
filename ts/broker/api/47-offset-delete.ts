import { apiKey } from '../../protocol/apis.js'
import { protocolError, protocolErrors } from '../../protocol/errors.js'
import type { OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.js'
import { consumerProtocolType } from '../groups/group.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/**
 * Version 0. Offsets of topics that the group's members want are kept: GROUP_SUBSCRIBED_TO_TOPIC. Of a group with members
 * that are no consumers nobody can say what they want: NON_EMPTY_GROUP.
 */
export const offsetDelete = apiHandler(apiKey.offsetDelete, '0', (broker, request) =>
  answering<OffsetDeleteResponse>(
    async () => {
      const { groupId } = request
      const group = broker.groups.find(groupId)
      if (group !== undefined && !group.isEmpty && group.protocolType !== consumerProtocolType) {
        throw protocolError('NON_EMPTY_GROUP', `group ${groupId} is ${group.state}`)
      }
      const places: { topic: string; partition: number }[] = []
      const topics = request.topics.map(({ name, partitions }) => {
        const count = broker.topics.byName(name)?.record.partitions ?? 0
        const subscribed = group?.isSubscribedTo(name) ?? false
        const answers = partitions.map(({ partitionIndex }) => {
          if (partitionIndex < 0 || partitionIndex >= count) {
            return { partitionIndex, errorCode: protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code }
          }
          if (subscribed) return { partitionIndex, errorCode: protocolErrors.GROUP_SUBSCRIBED_TO_TOPIC.code }
          places.push({ topic: name, partition: partitionIndex })
          return { partitionIndex, errorCode: 0 }
        })
        return { name, partitions: answers }
      })
      await broker.groups.deleteOffsets(groupId, places)
      return { errorCode: 0, throttleTimeMs: 0, topics }
    },
    (errorCode) => ({ errorCode, throttleTimeMs: 0, topics: [] }),
  ),
)
