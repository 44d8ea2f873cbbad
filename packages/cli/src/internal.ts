/** For our own tests and scripts; may change in any release. */

export { findCommand, parseCommand } from './arguments.ts';
export { COMMON_OPTIONS, settingsOf } from './common-options.ts';
export { bannerLines } from './dev/banner.ts';
export { showLogLine } from './dev/log-line.ts';
export { isCode } from './dev/watcher.ts';
export { CHECKS } from './doctor/checks.ts';
export { DEFAULT_LIMITS } from './doctor/limits.ts';
export { gatewayTokens } from './gateway/gateway-tokens.ts';
export { exitRows, helpOfCommand, optionRows, usageLine } from './help.ts';
export { shellWord, showBytes, showDistance, showShort, showValue, table } from './output/format.ts';
export { commandReference, MARKS, settingsReference } from './reference.ts';
