def patterns = [
    '(?m)^', '(?m)$', '(?m)^.*$', '(?d)a$', '(?dm)^.*$', '(?s).*', '(?s)a.b', '(?x) a # comment\n b', '(?x) a\\ b', '(?x)[a b]', '(?x) a + b',
    'a(?i)b', '(?i:a)b', '(?i)a(?-i)b', '(a(?i)b)c', 'a(?i)b|c', '(?i)é', '(?iu)é', '(?i)[a-c]', '(?iu)[à-é]', '(?i)[^a]', '(?i)ß', '(?iu)ſ',
    '(?iu)k', '(?i)K', '(?iu)[k]', '(?i)(a)\\1', '(?m)^\\s*(\\w+)\\s*=\\s*(.*?)\\s*$', '(?i)error|warn', '(?U)\\w+', '(?U)\\b\\w', '(?u)é',
    '(?m)^#.*\\R?',
]
def inputs = ['', 'ab', 'AB aB', 'é É', 'ß ſ K k', 'a\nb\r\nc', 'k1 = v1 \n k2= v2\r\n#c', 'a b', 'abc def', 'ERROR: Warn 42', 'a\n']
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
