// line
/* block
   more */
/** doc */
println "x" // trailing
println /* inner */ "y"
