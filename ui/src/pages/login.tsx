import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { login } from "../api/actions";
import { ApiError } from "../api/client";
import { keys } from "../api/queries";
import { Failure } from "../parts/notice";

export function Login() {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const enter = useMutation({
    mutationFn: login,
    onSuccess: (session) => client.setQueryData(keys.session, session),
  });
  useEffect(() => {
    document.title = "Log in · appliance";
  }, []);
  const wrong = enter.error instanceof ApiError && enter.error.status === 401;
  return (
    <main className="door">
      <h1>appliance</h1>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (token.trim()) enter.mutate(token.trim());
        }}
      >
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            value={token}
            onChange={(e) => setToken(e.target.value)}
            autoComplete="current-password"
            autoFocus
            required
            aria-invalid={wrong}
          />
        </label>
        <button type="submit" className="primary" disabled={enter.isPending}>
          {enter.isPending ? "Logging in …" : "Log in"}
        </button>
      </form>
      {wrong ? (
        <div className="notice bad" role="alert">
          <strong>This token is not valid.</strong>
          <p>It was mistyped, has expired or was revoked.</p>
          <p className="remedy">Copy it again from where it is kept, without blanks around it.</p>
        </div>
      ) : (
        enter.error && <Failure what="You were not logged in." error={enter.error} />
      )}
      <section className="hint">
        <h2>Where is my token?</h2>
        <p>The appliance made one for the first admin when it started for the first time. On the appliance, root reads it:</p>
        <pre>cat /var/lib/appliance/admin.token</pre>
        <p>
          The file is <code>admin.token</code> in the folder that <code>data:</code> names in the configuration. Who works
          with the command line is logged in there by <code>appliance login</code>; an admin makes tokens for others.
        </p>
      </section>
    </main>
  );
}
