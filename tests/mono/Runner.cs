using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using System.Reflection;

namespace PersistentChatFailover.Tests
{
    /// <summary>Runs every public static method of the classes marked as tests, each by itself.</summary>
    internal static class Runner
    {
        private static int Main(string[] wanted)
        {
            int passed = 0;
            int failed = 0;
            foreach (MethodInfo test in Tests())
            {
                string name = test.DeclaringType.Name + "." + test.Name;
                if (wanted.Length > 0 && name.IndexOf(wanted[0], StringComparison.OrdinalIgnoreCase) < 0)
                {
                    continue;
                }
                Shell.Clear();
                var watch = Stopwatch.StartNew();
                try
                {
                    test.Invoke(null, null);
                    passed++;
                    Console.WriteLine("  ok    {0} ({1} ms)", name, watch.ElapsedMilliseconds);
                }
                catch (TargetInvocationException e)
                {
                    failed++;
                    Console.WriteLine("  FAIL  {0}: {1}", name, e.InnerException);
                    Shell.Show();
                }
            }
            Lab.StopAll();
            Console.WriteLine("{0} passed, {1} failed", passed, failed);
            return failed == 0 && passed > 0 ? 0 : 1;
        }

        private static IEnumerable<MethodInfo> Tests()
        {
            foreach (Type type in Assembly.GetExecutingAssembly().GetTypes())
            {
                if (type.GetCustomAttributes(typeof(TestsAttribute), false).Length == 0)
                {
                    continue;
                }
                foreach (MethodInfo method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
                {
                    yield return method;
                }
            }
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class TestsAttribute : Attribute
    {
    }

    internal static class Check
    {
        internal static void Equal(object wanted, object found)
        {
            if (!Equals(wanted, found))
            {
                throw new InvalidOperationException("wanted <" + wanted + ">, found <" + found + ">");
            }
        }

        internal static void True(bool holds, string what)
        {
            if (!holds)
            {
                throw new InvalidOperationException("not so: " + what);
            }
        }

        internal static void Contains(string part, string text)
        {
            True(text != null && text.IndexOf(part, StringComparison.Ordinal) >= 0, "<" + text + "> contains <" + part + ">");
        }

        internal static T Throws<T>(Action work) where T : Exception
        {
            try
            {
                work();
            }
            catch (T e)
            {
                return e;
            }
            throw new InvalidOperationException("nothing was thrown, wanted " + typeof(T).Name);
        }
    }

    /// <summary>What the cmdlets wrote.</summary>
    internal static class Shell
    {
        internal static void Clear()
        {
            Cmdlet.Written.Clear();
            Cmdlet.Errors.Clear();
            Cmdlet.Lines.Clear();
            Cmdlet.ProgressSeen.Clear();
        }

        /// <summary>The written objects of one type.</summary>
        internal static List<T> All<T>()
        {
            var found = new List<T>();
            foreach (object written in Cmdlet.Written)
            {
                if (written is T)
                {
                    found.Add((T)written);
                }
            }
            return found;
        }

        internal static void NoErrors()
        {
            Check.True(Cmdlet.Errors.Count == 0, "no errors; the first is " + (Cmdlet.Errors.Count > 0 ? Cmdlet.Errors[0].Exception.Message : null));
        }

        internal static ErrorRecord OneError()
        {
            Check.Equal(1, Cmdlet.Errors.Count);
            return Cmdlet.Errors[0];
        }

        internal static void Show()
        {
            foreach (ErrorRecord error in Cmdlet.Errors)
            {
                Console.WriteLine("        error: {0}", error.Exception.Message);
            }
            foreach (string line in Cmdlet.Lines)
            {
                Console.WriteLine("        {0}", line);
            }
        }
    }
}
