export { streamPrefix } from './config.ts';
export { allHeaders, findHeader, statusOf, statusText } from './header-block.ts';
export { JsApi, type PubAck, type StreamConfig, type StreamInfo, type StreamMessage } from './js-api.ts';
export { type ProcessState, readProcessState } from './process-state.ts';
export { assertServerVersion } from './provision.ts';
export { PullConsumer } from './pull-consumer.ts';
export { type RawRequestOptions, RawRequests } from './raw-request.ts';
export { NatsStoredMessage, readDelivery } from './stored-message.ts';
export { type WantedStream, wantedStreams } from './streams.ts';
