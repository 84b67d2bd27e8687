import { platformatic } from './clients/platformatic.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

clientSuite(platformatic(), (bench) => {
  recordTests(bench)
  groupTests(bench, { assignors: ['roundrobin'], statics: true })
})
