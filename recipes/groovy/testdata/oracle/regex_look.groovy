def patterns = [
    '(?=a)', 'a(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b', '(?<=a|bc)d', '(?<=\\ba)b', '(?<=(a))b', '(?=(a+))a*b\\1', '(?=(\\w+))\\1:', '(?<!^)b',
    '(?<=a{1,3})b', '(?<=a+)b', '(?<=^|,)x', '(?<=\\s)\\w+', '(?!.*b).*', '(?=.*\\d)(?=.*[a-z]).{4,}', '(?>a|ab)c', '(?>a*)b',
    '"(?>[^"\\\\]+|\\\\.)*"', '(\\d+)(?:px|em)(?=;|$)', '(?s)(?<=a).(?=b)', '(?:(?!ab).)*', '((?:(?!ab).)*)ab', '(?<!\\\\)"', '(?m)^(?!#).+$',
    '(?<![0-9])[0-9]{1,3}(?![0-9])',
]
def inputs = ['', 'ab', 'aab', 'bab', 'abcd', 'aa:aa', '"a\\"b" c', 'tel 123-4567', '1,2,,x', '12px;5em', 'a\nb\n', '#c\nk=v', 'xx abc1 bcd', 'aaab']
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
