// The page's state: one value, changed only by `reduce`.
export * from "./model";
export { reduce } from "./reduce";
