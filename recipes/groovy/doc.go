// Package groovy reads and evaluates the subset of Groovy that recipes are
// written in: descriptors, properties files and lifecycle scripts of
// Cloudify 2.x.
//
// It is a strict pipeline: source -> tokens (lex.go) -> syntax tree
// (parse.go, expression.go) -> evaluation (eval*.go). Every error carries file,
// line and column and prints a caret under the source line.
//
// It is not a JVM and knows nothing of recipes. A script reaches the outside
// only through what the embedder gives: host classes, a base Object for
// unqualified names, a writer for println and a function for "cmd".execute().
// There is no reflection, and steps, nesting and allocation are limited, so
// that the evaluation of any text ends.
//
// Known differences from Groovy: whole numbers are 64 bit and overflow is an
// exception; numbers with a fraction are 64-bit floating point, not
// BigDecimal; a GString is made into a String at once.
package groovy
