// Logging in: the single-use code in the address's fragment becomes a cookie that no script can read.

export type LoginOutcome = "none" | "done" | "refused" | "unreachable";

/** The code in a fragment such as `#code=abc`, or null. */
export function codeOf(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, "")).get("code");
}

/** Redeems the code in the address, if there is one, and takes it out of the address and the history. */
export async function login(): Promise<LoginOutcome> {
  const code = codeOf(location.hash);
  if (code === null) return "none";
  history.replaceState(null, "", location.pathname + location.search);
  try {
    const response = await fetch("/login", { headers: { "X-Aimark-Code": code }, cache: "no-store" });
    return response.status === 204 ? "done" : "refused";
  } catch {
    return "unreachable";
  }
}
