def patterns = [
    'done$', '.*', '.+', 'x*', '', '^', '$', '^$', '\\Z', '\\z', '\\A', 'a$', '.', '\\Gab', '\\G\\w', '\\ba', 'a\\b', '\\bab\\b', '\\B', '\\b',
    '\\Bb', '\\R', '\\h+', '\\H+', '\\v+', '\\V', '\\d+', '\\D', '\\w+', '\\W', '\\s+', '\\S+', '\\t', '\\x41', '\\u0041', '\\0101', '\\e', '\\cA',
    '\\a', '\\Qa.b\\E', '\\Qa.b', 'x\\Q.\\E+', '\\Q1\\E', '\\.', '\\_', '\\-', '\\/', 'a{2}{3}', 'a{0}b', 'a|b|', '|a', 'a||b', '.', '\\s*,\\s*',
]
def inputs = ['', 'a', 'ab', 'aab', 'abac', 'done\n', 'done\r\n', 'a\nb', 'a\r\nb\r\n', '\n\n', 'a\rb', 'a\u2028b\u0085', 'é ab', 'a\u0301b', 'x.a.b', ' \t\u00a0', '[a]^&', 'bbb', 'abcabc 12', '\u0001\u0007\u001b\u000b']
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
