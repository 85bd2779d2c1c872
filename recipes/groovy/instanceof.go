package groovy

import "strings"

// instanceOf says whether v is a typ, as the script that runs names it.
func (t *Thread) instanceOf(v Value, typ string) bool {
	if v == nil {
		return false
	}
	if c, ok := t.class(t.unit(), typ).(*scriptClass); ok {
		return t.isInstance(v, c)
	}
	return instanceOf(v, typ)
}

func (t *Thread) isInstance(v Value, c *scriptClass) bool {
	o, ok := v.(*instance)
	if !ok {
		if k, ok := v.(*Closure); ok {
			return c.decl.iface && k.iface == c.decl.id
		}
		return false
	}
	for p := o.class; p != nil; p = p.parent {
		if p == c {
			return true
		}
	}
	return o.class.extends(c.decl.id) || o.class.implements(c.decl.id)
}

// superTypes are the interfaces and superclasses of this package's classes
// that scripts ask for.
func superTypes(class string) string {
	switch class {
	case "String":
		return "CharSequence Comparable Serializable"
	case "GStringImpl":
		return "GString CharSequence"
	case "Integer", "Long", "Byte", "BigInteger", "BigDecimal", "Double", "Float":
		return "Number Comparable Serializable"
	case "Boolean", "Character":
		return "Comparable Serializable"
	case "ArrayList":
		return "List Collection Iterable AbstractList RandomAccess"
	case "LinkedList":
		return "List Collection Iterable Queue Deque"
	case "ArrayDeque":
		return "Collection Iterable Queue Deque"
	case "Stack", "Vector":
		return "List Collection Iterable Vector"
	case "LinkedHashSet":
		return "Set HashSet Collection Iterable"
	case "HashSet":
		return "Set Collection Iterable"
	case "TreeSet":
		return "Set SortedSet NavigableSet Collection Iterable"
	case "LinkedHashMap":
		return "Map HashMap AbstractMap"
	case "HashMap":
		return "Map AbstractMap"
	case "TreeMap":
		return "Map SortedMap NavigableMap"
	case "ConfigObject":
		return "Map LinkedHashMap HashMap"
	case "Properties":
		return "Map Hashtable"
	case "IntRange":
		return "Range List Collection Iterable"
	case "Closure":
		return "Runnable GroovyCallable Callable"
	case "LinkedHashMap$Entry", "Entry":
		return "Entry Map.Entry Map$Entry"
	case "StringBuilder", "StringBuffer":
		return "CharSequence Appendable"
	case "StringWriter":
		return "Writer Appendable"
	case "NodeList":
		return "List Collection Iterable ArrayList"
	case "NodeChild", "NodeChildren", "FilteredNodeChildren", "NodeParents", "NoChildren", "Attributes", "FilteredAttributes", "Attribute":
		return "GPathResult Iterable Writable Buildable"
	case "Matcher":
		return "MatchResult"
	case "Date":
		return "Comparable Serializable Cloneable"
	case "Timestamp":
		return "Date Comparable Serializable"
	case "GregorianCalendar":
		return "Calendar Comparable Serializable Cloneable"
	case "SimpleDateFormat":
		return "DateFormat Format"
	case "DecimalFormat", "ChoiceFormat":
		return "NumberFormat Format Serializable Cloneable"
	case "MessageFormat":
		return "Format Serializable Cloneable"
	case "ZoneInfo":
		return "TimeZone"
	case "Duration", "TimeDuration", "DatumDependentDuration":
		return "BaseDuration Comparable"
	case "TimeDatumDependentDuration":
		return "DatumDependentDuration BaseDuration Comparable"
	case "File":
		return "Comparable Serializable"
	case "UnixPath":
		return "Path Comparable Iterable"
	}
	return streamTypes(class)
}

// streamTypes are the superclasses of the streams of java.io.
func streamTypes(class string) string {
	switch class {
	case "BufferedInputStream", "DataInputStream":
		return "FilterInputStream InputStream Closeable AutoCloseable"
	case "FileInputStream", "ByteArrayInputStream":
		return "InputStream Closeable AutoCloseable"
	case "BufferedReader", "InputStreamReader", "StringReader":
		return "Reader Readable Closeable AutoCloseable"
	case "FileReader":
		return "InputStreamReader Reader Readable Closeable AutoCloseable"
	case "LineNumberReader":
		return "BufferedReader Reader Readable Closeable AutoCloseable"
	case "BufferedOutputStream", "DataOutputStream", "PrintStream":
		return "FilterOutputStream OutputStream Closeable AutoCloseable"
	case "FileOutputStream", "ByteArrayOutputStream":
		return "OutputStream Closeable AutoCloseable"
	case "BufferedWriter", "OutputStreamWriter", "PrintWriter":
		return "Writer Appendable Closeable AutoCloseable"
	case "FileWriter":
		return "OutputStreamWriter Writer Appendable Closeable AutoCloseable"
	case "GroovyPrintWriter":
		return "PrintWriter Writer Appendable Closeable AutoCloseable"
	}
	return ""
}

// instanceOf says whether v is a typ of those that no script defines.
func instanceOf(v Value, typ string) bool {
	if v == nil {
		return false
	}
	typ = typ[strings.LastIndexByte(typ, '.')+1:]
	if typ == "Object" || typ == "GroovyObject" && isScripted(v) {
		return true
	}
	switch x := v.(type) {
	case *Throwable:
		return isException(x.Class, typ)
	case *instance:
		return x.class.extends(typ) || x.class.implements(typ) || typ == "Enum" && x.ordinal >= 0
	case *unit:
		return typ == "Script"
	case *List:
		if x.elem != "" {
			return typ == x.elem+"[]" || typ == "Object[]" && !isPrimitive(x.elem)
		}
	case *Closure:
		if x.iface == typ && typ != "" {
			return true
		}
	case *Set:
		typ2 := lastName(TypeName(v))
		return typ2 == typ || hasWord(superTypes(typ2), typ)
	}
	own := TypeName(v)
	own = own[strings.LastIndexByte(own, '.')+1:]
	return own == typ || boxed(typ) == own && isPrimitive(typ) || hasWord(superTypes(own), typ)
}

func isScripted(v Value) bool {
	switch v.(type) {
	case *instance, *unit, *Closure:
		return true
	}
	return false
}

func hasWord(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}

// classPackages says in which package a class of Java or Groovy is.
func classPackages() map[string]string { return tables().packages }

func packages() map[string]string {
	m := map[string]string{}
	for pkg, names := range map[string]string{
		"java.lang":                   "Object String Integer Long Short Byte Double Float Boolean Character Number Math System Thread StringBuilder StringBuffer Class Comparable Iterable Runnable CharSequence Enum Process ProcessBuilder Runtime Void Cloneable Appendable",
		"java.util":                   "List ArrayList LinkedList Vector Stack Set HashSet LinkedHashSet TreeSet SortedSet Map HashMap LinkedHashMap TreeMap SortedMap Hashtable Properties Collection Collections Arrays Iterator Random UUID Date Calendar GregorianCalendar Locale TimeZone Comparator Queue Deque Scanner Timer Optional Objects StringTokenizer Formatter",
		"java.math":                   "BigDecimal BigInteger RoundingMode MathContext",
		"java.io":                     "File StringWriter StringReader PrintWriter Writer Reader InputStream OutputStream Serializable PrintStream Closeable FileInputStream FileReader BufferedInputStream DataInputStream BufferedReader LineNumberReader InputStreamReader ByteArrayInputStream FileOutputStream FileWriter BufferedOutputStream DataOutputStream BufferedWriter OutputStreamWriter ByteArrayOutputStream",
		"java.net":                    "URL URI InetAddress Socket ServerSocket URLEncoder URLDecoder NetworkInterface InetSocketAddress",
		"java.text":                   "SimpleDateFormat DecimalFormat NumberFormat DateFormat DecimalFormatSymbols MessageFormat ChoiceFormat",
		"java.util.concurrent":        "TimeUnit Callable ConcurrentHashMap",
		"java.util.concurrent.atomic": "AtomicInteger AtomicLong AtomicBoolean AtomicReference",
		"java.util.regex":             "Pattern Matcher",
		"groovy.lang":                 "Closure GString Range IntRange Script Binding GroovyObject GroovyInterceptable GroovyShell",
		"groovy.util":                 "ConfigSlurper ConfigObject AntBuilder Eval Expando Node NodeList XmlParser XmlSlurper XmlNodePrinter",
		"groovy.json":                 "JsonSlurper JsonOutput JsonBuilder StreamingJsonBuilder",
		"groovy.text":                 "SimpleTemplateEngine",
		"groovy.sql":                  "Sql",
		"groovy.time":                 "TimeCategory Duration TimeDuration DatumDependentDuration TimeDatumDependentDuration",
		"java.nio.charset":            "Charset StandardCharsets",
		"groovy.io":                   "FileType FileVisitResult",
		"java.nio.file":               "Path Paths Files StandardCopyOption StandardOpenOption",
		"java.security":               "MessageDigest",
		"java.util.zip":               "CRC32 ZipFile",
		"groovy.xml":                  "XmlUtil MarkupBuilder StreamingMarkupBuilder QName Namespace",
	} {
		for _, n := range strings.Fields(names) {
			m[n] = pkg
		}
	}
	return m
}
