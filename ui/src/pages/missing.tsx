import { Link, useLocation } from "wouter";
import { Empty } from "../parts/notice";
import { Head } from "../parts/shell";

export function Missing() {
  const [at] = useLocation();
  return (
    <>
      <Head title="No such page" />
      <Empty title={`There is nothing at ${at}.`}>
        <p>
          The address may be mistyped, or of another version. <Link href="/">Go to the overview</Link>
        </p>
      </Empty>
    </>
  );
}
