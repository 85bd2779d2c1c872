// Package groovy reads and evaluates Groovy 2.4 as recipes are written in it:
// descriptors, properties files and lifecycle scripts of Cloudify 2.x.
//
// It is a strict pipeline: source -> tokens (lex.go) -> syntax tree (parse.go,
// expression.go, tree.go) -> slots for variables (resolve.go) -> evaluation by
// the nodes of the tree (eval.go, exec.go, call.go). What values can do is in
// tables of methods (tables.go, methods_*.go), standard classes in classes*.go.
// Every error carries file, line and column and prints a caret under the
// source line.
//
// It is not a JVM and knows nothing of recipes. A script reaches the outside
// only through what the embedder gives: host classes, a base Object for
// unqualified names, a writer for println and a function for "cmd".execute().
// There is no reflection, and steps, nesting and allocation are limited, so
// that the evaluation of any text ends.
//
// docs/recipes.md lists what differs from Groovy; testdata/oracle holds the
// scripts that are compared with the original.
package groovy
