// What is refused, and with what text.
def patterns = ["(abc", "abc)", "[abc", "*a", "a**", "{abc", "a{2", "a{3,1}", "\\y", "a\\", "(?<n>a)(?<n>b)", "(?<1>a)", "(?z)", "(?<=a*)b", "(?<=a+)b","(?<=(a)*)b", "(?<=(ab|c)*)b", "\\p{Foo}", "\\pX", "\\p{}", "\\p{L", "[z-a]", "[a&&]", "[]a", "[", "[^", "\\k<x>", "\\k", "\\x1", "\\x{110000}", "\\x{41", "\\u12", "\\0", "\\c", "(?", "(", "(?<", "(?<a", "(?<a>", "(?>", "(?i", "(?i:", "a{99999999999}", "a{2}{3}", "a{,3}", "x|*", "(*a)", "+", "?", "[a-\\d]", "[\\d-a]","\\Q(abc", "\\Qab\\E(", "(?@a)", "(?P<n>a)", "a\n(b", "\t(b", "a\t*?+", "[[:alpha:]]", "\\p{InFoo}", "\\p{IsFoo}", "\\p{sc=Foo}", "[a&&&&b]", "[&&a]", "[a&&b&&]", "[a&&^b]", "(?x)a #b(", "(?x) [a b", "((((", "(?:a", "(?=a", "(?!", "\\E", "\\Qab", "a]", "a}", "]", "}", "\\_", "\\é", "(?-i)a", "(?i-m:a)", "(?-", "(?i-"]
for (p in patterns) {
    try {
        java.util.regex.Pattern.compile(p)
        println "$p is taken"
    } catch (java.util.regex.PatternSyntaxException e) {
        println e.message.replace("\n", "|")
    }
}
println "x" =~ "a("
