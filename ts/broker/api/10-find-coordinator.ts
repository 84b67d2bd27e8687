import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import { coordinatorType, type FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.js'
import type { BrokerState } from '../broker-state.js'
import type { RequestContext } from '../request-context.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

type Coordinator = FindCoordinatorResponse['coordinators'][number]

/** From here on many keys are asked for at once. */
const keysSince = 4

/**
 * Versions 0-6. This node coordinates every group; `__consumer_offsets` is made within the first call, so its answer can
 * be used, and the group begins to be loaded.
 *
 * Not done: transactions and share groups, which are INVALID_REQUEST.
 */
export const findCoordinator = apiHandler(
  apiKey.findCoordinator,
  '0-6',
  (broker, request, context): MaybePromise<FindCoordinatorResponse> => {
    const many = context.apiVersion >= keysSince
    const keys = many ? request.coordinatorKeys : [request.key]
    const found = inTurns(keys, context.pace, (key) => find(broker, context, request.keyType, key))
    const respond = (coordinators: readonly Coordinator[]) => (many ? list(coordinators) : single(coordinators[0]))
    return isPromise(found) ? found.then(respond) : respond(found)
  },
)

function find(broker: BrokerState, context: RequestContext, type: number, key: string): MaybePromise<Coordinator> {
  const here = (): Coordinator => {
    const { host, port } = broker.endpoint(context)
    return { key, nodeId: broker.nodeId, host, port, errorCode: 0, errorMessage: '' }
  }
  return answering(
    () => {
      if (type !== coordinatorType.group) {
        const what = type === coordinatorType.transaction ? 'transactions' : `coordinators of type ${type}`
        throw protocolError('INVALID_REQUEST', `this broker has no ${what}`)
      }
      const ready = broker.groups.prepare(key)
      return isPromise(ready) ? ready.then(here) : here()
    },
    (errorCode, error) => ({ key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: error.message }),
  )
}

function list(coordinators: readonly Coordinator[]): FindCoordinatorResponse {
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: '', nodeId: 0, host: '', port: 0, coordinators }
}

function single({ key: _key, ...coordinator }: Coordinator): FindCoordinatorResponse {
  return { throttleTimeMs: 0, ...coordinator, coordinators: [] }
}
