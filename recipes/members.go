package recipes

import "strings"

// members are the names that a class of ours and its objects answer; nil where
// that is not told. TestMembers compares with what the code asks for.
func members(class string) []string {
	switch class {
	case "File":
		return strings.Fields(`text bytes name path absolutePath canonicalPath parent parentFile absoluteFile canonicalFile separator
			freeSpace usableSpace totalSpace readable writable executable
			toURL toURI toPath getText setText setBytes write append leftShift withWriter withWriterAppend withPrintWriter withOutputStream
			newWriter newPrintWriter newOutputStream readLines eachLine splitEachLine eachByte
			eachFile eachDir eachFileMatch eachDirMatch eachFileRecurse eachDirRecurse traverse
			withReader withInputStream newReader newInputStream filterLine getBytes readBytes
			exists isFile isDirectory canRead canWrite canExecute isHidden isAbsolute lastModified setLastModified
			setReadable setWritable setExecutable setReadOnly deleteOnExit length size directorySize mkdir mkdirs delete deleteDir
			createNewFile renameTo list listFiles createTempFile compareTo hashCode`)
	case "FileInputStream", "FileReader", "BufferedInputStream", "DataInputStream", "BufferedReader", "LineNumberReader", "InputStreamReader", "StringReader", "ByteArrayInputStream":
		return strings.Fields(`text bytes read readLine readLines eachLine splitEachLine filterLine transformLine eachByte getText getBytes readBytes
			newReader withReader withInputStream withStream withCloseable iterator available ready skip mark reset markSupported close`)
	case "FileOutputStream", "FileWriter", "BufferedOutputStream", "DataOutputStream", "BufferedWriter", "OutputStreamWriter", "PrintWriter", "PrintStream", "ByteArrayOutputStream":
		return strings.Fields(`bytes setBytes write append leftShift print println printf format newLine writeLine flush close checkError
			newWriter newPrintWriter withWriter withOutputStream withStream withPrintWriter withCloseable buffer
			toByteArray size reset toString writeTo`)
	case "System":
		return strings.Fields("properties env out err in getenv getProperty setProperty clearProperty getProperties lineSeparator exit currentTimeMillis nanoTime")
	case "ServiceUtils":
		return strings.Fields(`ProcessUtils downloadUtil isWindows isLinuxOrUnix getDownloadUtil getPrimaryInetAddress isPortOccupied isPortFree
			arePortsFree arePortsOccupied isHttpURLAvailable getHttpReturnCode`)
	case "InetAddress":
		return strings.Fields(`getLocalHost getLoopbackAddress getByName getAllByName getByAddress hostAddress hostName canonicalHostName address
			loopbackAddress isLoopbackAddress siteLocalAddress linkLocalAddress anyLocalAddress multicastAddress isReachable`)
	case "URL", "URI":
		return strings.Fields(`protocol scheme host port defaultPort path query ref fragment userInfo authority file text bytes openConnection
			openStream newInputStream newReader toURL toURI normalize toString toExternalForm toASCIIString resolve create getText getBytes
			withReader withInputStream eachLine eachByte readLines splitEachLine filterLine`)
	case "ProcessBuilder":
		return strings.Fields(`start environment inheritIO command directory redirectErrorStream redirectOutput redirectError redirectInput`)
	case "Runtime":
		return strings.Fields("getRuntime exec availableProcessors")
	case "ServiceContextFactory":
		return append(spoken(), "getServiceContext")
	case "ZipFile":
		return strings.Fields("name entries getEntry getInputStream size close directory")
	case "MessageDigest":
		return strings.Fields("getInstance isEqual algorithm digestLength update digest reset")
	case "CRC32":
		return strings.Fields("value update reset")
	case "Socket":
		return strings.Fields(`closed connected soTimeout inputStream outputStream port localPort keepAlive tcpNoDelay reuseAddress connect close
			shutdownOutput withStreams leftShift withCloseable`)
	case "ServerSocket":
		return strings.Fields("localPort closed bound soTimeout reuseAddress accept close withCloseable")
	case "InetSocketAddress":
		return strings.Fields("port hostName hostString")
	case "NetworkInterface":
		return strings.Fields(`getByName getByInetAddress getNetworkInterfaces networkInterfaces name displayName index MTU mtu loopback up pointToPoint
			virtual hardwareAddress inetAddresses supportsMulticast`)
	case "Scanner":
		return strings.Fields(`close useDelimiter hasNext next hasNextLine nextLine hasNextInt nextInt hasNextLong nextLong hasNextDouble nextDouble
			hasNextBoolean nextBoolean`)
	case "Path":
		return append(strings.Fields(`fileName parent root absolute nameCount toFile toAbsolutePath toRealPath normalize toUri resolve div resolveSibling
			relativize startsWith endsWith compareTo hashCode`), members("File")...)
	case "Paths":
		return []string{"get"}
	case "Files":
		return strings.Fields(`exists notExists isDirectory isRegularFile isReadable isWritable isExecutable isHidden isSymbolicLink size readAllBytes
			readAllLines newInputStream newBufferedReader write copy move createSymbolicLink createLink createDirectory createDirectories createFile
			createTempFile createTempDirectory delete deleteIfExists readSymbolicLink`)
	case "OperatingSystem":
		return strings.Fields("getInstance vendor vendorName name vendorVersion vendorCodeName description arch machine win32")
	case "Unit", "Statistics", "FileTransferModes", "RemoteExecutionModes", "ScriptLanguages", "AccessRuleType", "FileType", "FileVisitResult",
		"StandardCopyOption", "StandardOpenOption":
		return []string{"values", "valueOf"} // the constants say the rest
	}
	return nil
}

// spoken are names of objects that no class makes: those of the context, of
// processes, of readers. They are told of ServiceContextFactory, which all begins with.
func spoken() []string {
	return strings.Fields(`instanceId serviceName applicationName serviceDirectory privateAddress bindAddress publicAddress machineID locationId
		cloudTemplateName imageID hardwareID externalProcessId localCloud privileged attributes admin storage network isLocalCloud isPrivileged
		waitForService startMaintenanceMode stopMaintenanceMode thisInstance thisService thisApplication global
		setSecret remove clear containsKey get put set getAt putAt instances numberOfPlannedInstances numberOfActualInstances
		waitForInstances invoke instanceID hostAddress hostName canonicalHostName getDetails getMonitors
		getPidsWithQuery getPidsWithMainClass getPidsWithName getPidsWithFullName
		in err out inputStream errorStream outputStream waitFor exitValue waitForOrKill destroy destroyForcibly alive isAlive closeStreams
		consumeProcessOutput consumeProcessOutputStream consumeProcessErrorStream waitForProcessOutput or pipeTo
		withWriter withOutputStream withStream withPrintWriter withCloseable newLine write append leftShift
		text bytes getText newReader getIn iterator available ready read eachLine withReader withInputStream
		content requestMethod URL url connectTimeout readTimeout responseCode responseMessage contentType contentLength headerFields
		instanceFollowRedirects followRedirects requestProperties doOutput doInput useCaches allowUserInteraction defaultUseCaches
		connect disconnect setRequestProperty addRequestProperty getHeaderField
		variables hasVariable getVariable
		readLine close println print flush info warning severe fine finer finest debug error log`)
}
