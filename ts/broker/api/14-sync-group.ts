import type { MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import { syncFailure } from '../groups/group-answers.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/** From here on the sender says which protocol it believes in. */
const protocolSince = 5

/** Versions 0-5. Parked until the leader brought everybody's assignment, which is stored before anybody gets it. */
export const syncGroup = apiHandler(
  apiKey.syncGroup,
  '0-5',
  (broker, request, context): MaybePromise<SyncGroupResponse> =>
    answering(
      () => {
        const { protocolType, protocolName } = request
        if (context.apiVersion >= protocolSince && (protocolType === null || protocolName === null)) {
          throw protocolError('INCONSISTENT_GROUP_PROTOCOL', 'a sync says the protocol type and name it goes by')
        }
        return broker.groups.sync(request, context)
      },
      (_code, error) => syncFailure(error),
    ),
)
