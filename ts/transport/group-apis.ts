import { apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'

/** An API whose requests are about several groups, each of which is for its coordinator to answer. */
export interface GroupApi<Request, Response> {
  /** The request for each group alone. */
  parts(request: Request): [group: string, part: Request][]
  /** The answers to them as one. */
  join(answers: readonly Response[]): Response
}

type OffsetFetch = typeof apiKey.offsetFetch
type DescribeGroups = typeof apiKey.describeGroups
type ConsumerGroupDescribe = typeof apiKey.consumerGroupDescribe
type DeleteGroups = typeof apiKey.deleteGroups

const offsetFetch: GroupApi<RequestOf<OffsetFetch>, ResponseOf<OffsetFetch>> = {
  parts: (request) => request.groups.map((group) => [group.groupId, { ...request, groups: [group] }]),
  join: (answers) => ({ throttleTimeMs: 0, topics: [], errorCode: 0, groups: answers.flatMap(({ groups }) => groups) }),
}

const describeGroups: GroupApi<RequestOf<DescribeGroups>, ResponseOf<DescribeGroups>> = {
  parts: (request) => request.groups.map((group) => [group, { ...request, groups: [group] }]),
  join: (answers) => ({ throttleTimeMs: 0, groups: answers.flatMap(({ groups }) => groups) }),
}

const consumerGroupDescribe: GroupApi<RequestOf<ConsumerGroupDescribe>, ResponseOf<ConsumerGroupDescribe>> = {
  parts: (request) => request.groupIds.map((group) => [group, { ...request, groupIds: [group] }]),
  join: (answers) => ({ throttleTimeMs: 0, groups: answers.flatMap(({ groups }) => groups) }),
}

const deleteGroups: GroupApi<RequestOf<DeleteGroups>, ResponseOf<DeleteGroups>> = {
  parts: (request) => request.groupsNames.map((group) => [group, { groupsNames: [group] }]),
  join: (answers) => ({ throttleTimeMs: 0, results: answers.flatMap(({ results }) => results) }),
}

export const groupApis = {
  [apiKey.offsetFetch]: offsetFetch,
  [apiKey.describeGroups]: describeGroups,
  [apiKey.deleteGroups]: deleteGroups,
  [apiKey.consumerGroupDescribe]: consumerGroupDescribe,
}
