package groovy

import "strings"

// objectNames are the members of the library's own objects, which no table
// holds: dates, readers of JSON, templates, iterators, threads. TestObjectNames
// compares them with the code.
func objectNames() []string {
	return strings.Fields(`close parse parseText setType content call toPrettyString toString writeTo evaluate run getVariable setVariable
		getVariables hasVariable variables alive contextClassLoader daemon interrupted name interrupt join setDaemon setPriority start properties
		countTokens hasMoreElements hasMoreTokens nextElement nextToken environments getEnvironment setBinding setEnvironment environment
		time timeInMillis timeZone format minus plus lenient set2DigitYearStart toPattern applyPattern clone
		ID rawOffset DSTSavings displayName useDaylightTime observesDaylightTime hasSameRules language country toLanguageTag
		precision roundingMode years months days hours minutes seconds millis ago from now getNow toMilliseconds epochSecond
		any collect each every find findAll hasNext iterator remove size sum toList hasPrevious
		createTemplate make nextInt nextLong nextDouble nextFloat nextBoolean nextBytes nextGaussian setSeed
		lazySet getAndSet compareAndSet updateAndGet getAndUpdate intValue longValue addAndGet getAndAdd incrementAndGet getAndIncrement
		decrementAndGet getAndDecrement
		getDisplayName getID inDaylightTime getOffset randomUUID toArray value class`)
}
