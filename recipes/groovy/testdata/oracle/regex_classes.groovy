def patterns = [
    '[a-c[d]]', '[a-z&&[^b]]', '[a-z&&[b-d]&&[c]]', '[a-z&&[b]c]', '[^a-c&&[b]]', '[^[b]]', '[\\[^a]', '[a&&b]', '[a&&]', '[ab&&bc]', '[&a]', '[a&]',
    '[a^]', '[]a]', '[a-]', '[-a]', '[a-c-e]', '[\\w&&[^\\d]]', '[\\d-a]', '[^\\s]', '[[:alpha:]]', '\\p{Alpha}+', '\\p{Lower}', '\\p{Punct}',
    '\\p{L}', '\\pL', '\\P{L}', '\\p{IsAlphabetic}', '\\p{javaLowerCase}', '\\p{Lu}', '(?i)\\p{Lu}', '(?i)\\p{Lower}', '\\p{IsLatin}', '\\p{InGreek}',
    '\\p{Digit}', '\\p{Space}', '\\p{XDigit}', '\\p{Alnum}', '\\p{Graph}', '\\p{Print}', '\\p{Cntrl}', '\\p{Blank}', '\\p{ASCII}',
    '[\\p{L}&&[^\\p{Lu}]]', '[^\\p{L}]', '\\p{sc=Latin}', '\\p{IsPunctuation}', '\\p{javaWhitespace}', '\\p{Sc}', '\\p{N}', '\\p{LC}', '\\p{L1}',
    '\\p{IsWhite_Space}', '\\p{IsUppercase}', '(?i)\\p{IsUppercase}', '\\p{Z}', '\\p{P}', '\\p{S}', '\\p{C}', '\\p{M}', '\\p{javaLetterOrDigit}',
    '\\p{javaJavaIdentifierStart}', '\\p{IsGraph}', '\\p{IsPrint}', '\\p{IsWord}', '\\p{IsBlank}', '[\\Qa-c\\E]', '[a-zA-Z_]\\w*', '(?U)\\p{Lower}',
    '[\\p{L}\\d_]+',
]
def inputs = ['', 'abcd', 'A b_1', '[a]^&-', 'é É ß', 'ΑΒγ', '\t\u00a0 x', '$x {y}', '12,3', 'a\u0301b', '\u0001\n']
def show = { it == null ? 'null' : it.toString().replace('\\', '\\\\').replace('\n', '\\n').replace('\r', '\\r') }
for (p in patterns) {
    println show(p)
    def re = java.util.regex.Pattern.compile(p)
    for (s in inputs) {
        def m = re.matcher(s), line = new StringBuilder()
        while (m.find()) {
            line << ' ' << m.start() << '-' << m.end()
            for (int i = 1; i <= m.groupCount(); i++) line << ',' << show(m.group(i)) << '@' << m.start(i)
        }
        if (!line) continue
        if (s ==~ p) line << ' all'
        if (re.matcher(s).lookingAt()) line << ' begins'
        println "  ${show(s)}:${line} | ${show(s.replaceAll(p, '-'))} | ${s.split(p, -1).collect { show(it) }}"
    }
}
