import { clusterTools } from './tools/cluster-tools.js'
import { configTools } from './tools/config-tools.js'
import { consoleTools } from './tools/console-tools.js'
import { groupTools } from './tools/group-tools.js'
import { offsetTools } from './tools/offset-tools.js'
import { performanceTools } from './tools/performance-tools.js'
import { toolSuite } from './tools/tool-suite.js'
import { topicTools } from './tools/topic-tools.js'
import { verifiableTools } from './tools/verifiable-tools.js'

toolSuite(4, (bench) => {
  topicTools(bench)
  consoleTools(bench)
  performanceTools(bench)
  verifiableTools(bench)
  groupTools(bench)
  configTools(bench)
  offsetTools(bench)
  clusterTools(bench)
})
