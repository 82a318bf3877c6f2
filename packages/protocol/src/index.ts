export { checkClientInfo } from './client-info.ts';
export {
  ClientParser,
  type ClientParserLimits,
  SERVER_LINE_BYTES_MAX,
  SERVER_MESSAGE_BYTES_MAX,
  type ServerOperations,
  ServerProtocolError,
} from './client-parser.ts';
export { type ConnectOptions, type ConnectResult, DEFAULT_CONNECT_OPTIONS, parseConnect } from './connect-options.ts';
export {
  CRLF,
  encodeError,
  encodeInfo,
  msgHeadBytesMax,
  msgHeadOfBytesMax,
  OK,
  PING,
  PONG,
  writeDecimal,
  writeMsgHead,
  writeMsgHeadOf,
} from './encoder.ts';
export { CLOSE_REASONS, type CloseReason, WIRE_ERRORS } from './errors.ts';
export type { FrameSource } from './frame-source.ts';
export { stringifyGoJson } from './go-json-text.ts';
export { goQuote, goQuoteBytes } from './go-quote.ts';
export {
  type ByteRange,
  encodeStatus,
  findHeader,
  HEADER_LINE,
  HeaderCursor,
  removeHeader,
  setHeader,
} from './header-block.ts';
export { MessageArgs } from './message-args.ts';
export { MsgHeaders } from './msg-headers.ts';
export type { ClientOperations, ParserLimits } from './operations.ts';
export { PublishArgs } from './publish-args.ts';
export {
  RECENT_SUBJECT_BYTES_MAX,
  RECENT_SUBJECTS_SLOTS,
  RecentSubjects,
  type SubjectEntry,
} from './recent-subjects.ts';
export type { ServerInfo } from './server-info.ts';
export { ServerParser } from './server-parser.ts';
export { subjectByteLength, subjectFromBytes, subjectToBytes, writeSubject } from './subject-bytes.ts';
export type { ProtocolViolation } from './violation.ts';
