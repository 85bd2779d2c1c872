def patterns = [
    '(a|ab)(c|bcd)', '(a|ab)(c|bcd)$', '(a|ab)(bcd|c)(d*)', '(a)\\1', '(\\w)\\1', '(?:(a)|b)\\1', '(a\\1)', '(a)|\\1b', '\\2(a)', '(a)\\10',
    '(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10', '(.)(.)(.)\\3\\2\\1', '(a*)(a*)', '(?:^|,)([^,]*)', '([^,]*)(?:,|$)', '(?<y>\\d{4})-(?<m>\\d\\d)', '()',
    '(\\w+)@(\\w+)\\.com', '(.)\\1+', '\\$\\{(\\w+)\\}',
]
def inputs = ['', 'a', 'ab', 'abcd', 'aabb', 'abccba', 'abcdefghijj', '2024-05', 'me@x.com', '${y} $', 'foobar', 'x = 1', "'a' \"b\""]
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
