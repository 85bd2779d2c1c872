package recipes

import (
	"strings"
	"testing"
)

// TestSandbox: while a recipe is checked its descriptor starts no process, asks
// no network and no database, and reads no file but its own.
func TestSandbox(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`"ls".execute()`, "a process is not started while a recipe is checked"},
		{`["ls"].execute()`, "a process is not started while a recipe is checked"},
		{`new ProcessBuilder("ls").start()`, "ProcessBuilder.start is not available while a recipe is checked"},
		{`Runtime.runtime.exec("ls")`, "Runtime.exec is not available while a recipe is checked"},
		{`groovy.sql.Sql.newInstance("jdbc:mysql://127.0.0.1:1/x", "a", "b")`, "Sql.newInstance is not available: while a recipe is checked nothing is asked of a network"},
		{`new URL("http://127.0.0.1:1/").text`, "http://127.0.0.1:1/ is not asked while a recipe is checked"},
		{`new URL("file:/etc/passwd").text`, "file:/etc/passwd is not asked while a recipe is checked"},
		{`new URL("http://127.0.0.1:1/").openConnection().responseCode`, "is not asked while a recipe is checked"},
		{`InetAddress.getByName("10.0.0.1").isReachable(10)`, "InetAddress.isReachable is not available while a recipe is checked"},
		{`File.createTempFile("a", "b")`, "files are not written while a recipe is checked"},
		{`new File("/etc/passwd").text`, ""},
		{`new FileReader("/etc/passwd").text`, ""},
		{`new FileInputStream("/etc/passwd").bytes`, ""},
		{`new FileWriter("x")`, "files are not written while a recipe is checked"},
		{`new FileOutputStream("x")`, "files are not written while a recipe is checked"},
		{`new PrintWriter("x")`, "files are not written while a recipe is checked"},
		{`new PrintStream("x")`, "files are not written while a recipe is checked"},
		{`new File("x").newWriter()`, "files are not written while a recipe is checked"},
		{`new File("x").bytes = [1] as byte[]`, "files are not written while a recipe is checked"},
		{`new File("x").executable = true`, "File.setExecutable is not available while a recipe is checked"},
		{`new File("/").freeSpace`, ""},
		{`new Socket("127.0.0.1", 1)`, "Socket is not available while a recipe is checked"},
		{`new Socket()`, "Socket is not available while a recipe is checked"},
		{`new ServerSocket(0)`, "ServerSocket is not available while a recipe is checked"},
		{`NetworkInterface.networkInterfaces`, "NetworkInterface.getNetworkInterfaces is not available while a recipe is checked"},
		{`java.nio.file.Files.exists(java.nio.file.Paths.get("/etc"))`, "Files.exists is not available while a recipe is checked"},
		{`java.nio.file.Paths.get("x").write("y")`, "files are not written while a recipe is checked"},
		{`new Scanner(new File("/etc/passwd")).nextLine()`, ""},
		{`java.nio.file.Paths.get("/etc").toRealPath()`, "Path.toRealPath is not available while a recipe is checked"},
		{`new File("/").traverse { }`, "File.traverse is not available while a recipe is checked"},
	} {
		_, err := Load(folderOf("def x = "+tt.text+"\n"+service("lifecycle { start \"true\" }")), Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
	// Names are not looked up.
	if _, err := Load(folderOf("def x = InetAddress.getByName(\"no-such-name.invalid\").hostAddress\n"+service("url x; lifecycle { start \"true\" }")), Options{}); err != nil {
		t.Error(err)
	}
}
