// The page's entry.
import { render } from "preact";
import { App } from "./app";
import { initLanguage } from "./i18n";
import { start } from "./store";
import { initTheme } from "./theme";
import "./styles/index.css";

initLanguage();
initTheme();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
void start();
