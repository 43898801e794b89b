// What views read and call: the state, and everything that a person can do.
export { askInBranch, goOn, readAloud, regenerate, silence, stop, submit, type } from "./chat";
export { reconnect, start } from "./connected";
export { dismiss, draft, speak, state, turn } from "./core";
export {
  deleteSession,
  exportSessions,
  importSessions,
  pinSession,
  renameSession,
  restoreSession,
  searchSessions,
  selectSession,
  stepSession,
} from "./sessions";
export { setSpeak } from "./sound";
export { level, startTalking, stopTalking } from "./voice";
