import { asSeglogError } from '../client/settle-errors.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { coordinatorLoading, coordinatorMoved, hasError, unknownTopicErrors } from './answer-errors.js'
import type { CoordinatorCache, CoordinatorKind } from './coordinator-cache.js'
import { type GroupApi, groupApis } from './group-apis.js'
import type { Call } from './repeated-call.js'
import type { RequestSender } from './request-sender.js'
import type { TcpCluster } from './tcp-cluster.js'

/** Groups that are asked about at the same time. */
const groupsAtOnce = 16
/** Attempts after which an answer that a topic's id is unknown is passed on. */
const staleIdAttemptsMax = 3

type GroupsKey = keyof typeof groupApis

/** Requests about groups and transactional ids: each is for its coordinator. */
export class CoordinatorRequests {
  constructor(
    private readonly cluster: TcpCluster,
    private readonly coordinators: CoordinatorCache,
    private readonly sender: RequestSender,
  ) {}

  /** Asks the coordinator; another one if it has moved, the same again while it loads. */
  ask<K extends ApiKey>(
    kind: CoordinatorKind,
    name: string,
    key: K,
    request: RequestOf<K>,
    call: Call,
  ): Promise<ResponseOf<K>> {
    let attempts = 0
    return this.sender.repeated(key, call, async () => {
      attempts++
      const broker = await this.coordinators.find(kind, name)
      let answer: ResponseOf<K>
      try {
        answer = await this.sender.send(broker, key, request, call)
      } catch (thrown) {
        if (asSeglogError(thrown).retriable) this.coordinators.forget(kind, name)
        throw thrown
      }
      const hasMoved = hasError(answer, coordinatorMoved)
      if (hasMoved) this.coordinators.forget(kind, name)
      const isIdStale = attempts < staleIdAttemptsMax && this.doubtIds(key, answer)
      return { answer, again: hasMoved || isIdStale || hasError(answer, coordinatorLoading) }
    })
  }

  /** Asks about each group by itself; the answers in the order of the request. */
  async askEach<K extends GroupsKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    const api = groupApis[key] as unknown as GroupApi<RequestOf<K>, ResponseOf<K>>
    const parts = api.parts(request)
    const answers: ResponseOf<K>[] = []
    for (let from = 0; from < parts.length; from += groupsAtOnce) {
      const some = parts.slice(from, from + groupsAtOnce)
      const asked = some.map(([group, part]) => this.ask('group', group, key, part, call))
      answers.push(...(await Promise.all(asked)))
    }
    return api.join(answers)
  }

  /** Offsets are kept by topic id: a topic that was created anew has another. */
  private doubtIds<K extends ApiKey>(key: K, answer: ResponseOf<K>): boolean {
    if ((key as ApiKey) !== apiKey.offsetCommit && (key as ApiKey) !== apiKey.offsetFetch) return false
    if (!hasError(answer, unknownTopicErrors)) return false
    this.cluster.view.doubtAll()
    return true
  }
}
