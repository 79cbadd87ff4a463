using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// A lab as a process of its own, without a window and out of reach of the shell's Ctrl+C. It ends with this process,
    /// whatever ends this process.
    /// </summary>
    internal sealed class LabProcess : IDisposable
    {
        private const int ReadyMilliseconds = 60000;
        private const int EndMilliseconds = 5000;

        // Keeps the pipes of running labs open: a lab ends when its standard input does.
        private static readonly List<LabProcess> Running = new List<LabProcess>();

        private readonly Process process;
        private readonly StringBuilder said = new StringBuilder();
        private readonly ManualResetEvent ready = new ManualResetEvent(false);
        private string about;
        private bool disposed;

        private LabProcess(Process process)
        {
            this.process = process;
        }

        internal int Id { get; private set; }

        internal LabDoor Door { get; private set; }

        /// <summary>What the lab says of itself.</summary>
        internal Dictionary<string, object> About { get; private set; }

        /// <summary>False where another program holds UDP 1434, so that the AddressMap carries ports.</summary>
        internal bool HasBrowser
        {
            get
            {
                object told;
                return !About.TryGetValue("browser", out told) || !false.Equals(told);
            }
        }

        /// <summary>The full path of the lab's program.</summary>
        internal static string Program
        {
            get { return PchatLibrary.NativeFile(NativeMethods.IsWindows ? "pchat-lab.exe" : "pchat-lab"); }
        }

        /// <summary>Starts a lab and waits until it is ready.</summary>
        /// <param name="scenario">A name, or the full path of a file.</param>
        /// <param name="stopping">Asked in between; true gives up.</param>
        /// <exception cref="PChatException">It cannot be started, or does not know the scenario.</exception>
        internal static LabProcess Start(string scenario, Func<bool> stopping)
        {
            string program = Program;
            if (!File.Exists(program))
            {
                throw NotStarted("the lab's program is missing: " + program + ".");
            }
            var start = new ProcessStartInfo(program)
            {
                UseShellExecute = false,
                // A hidden console of its own: Ctrl+C in the shell does not reach it there.
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = new UTF8Encoding(false),
                StandardErrorEncoding = new UTF8Encoding(false),
            };
            int owner = Process.GetCurrentProcess().Id;
            start.Arguments = "serve --scenario " + Quoted(scenario) + " --until-stdin-closes --owner-pid " +
                owner.ToString(CultureInfo.InvariantCulture);
            var lab = new LabProcess(new Process { StartInfo = start });
            try
            {
                lab.Begin(stopping);
            }
            catch
            {
                lab.Dispose();
                throw;
            }
            lock (Running)
            {
                Running.Add(lab);
            }
            return lab;
        }

        private void Begin(Func<bool> stopping)
        {
            process.OutputDataReceived += (sender, line) => Heard(line.Data);
            process.ErrorDataReceived += (sender, line) => Complained(line.Data);
            try
            {
                process.Start();
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                throw NotStarted("the lab's program cannot be started: " + e.Message);
            }
            Id = process.Id;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var waited = Stopwatch.StartNew();
            while (!ready.WaitOne(50))
            {
                if (stopping() || waited.ElapsedMilliseconds > ReadyMilliseconds)
                {
                    throw NotStarted("the lab was not ready in time.");
                }
                if (process.HasExited)
                {
                    // The last lines are on their way.
                    ready.WaitOne(500);
                    break;
                }
            }
            if (about == null)
            {
                process.WaitForExit(500);
                lock (said)
                {
                    throw NotStarted("the lab did not start: " + said.ToString().Trim() + ".");
                }
            }
            var document = (Dictionary<string, object>)Json.Read(about);
            object inside;
            About = document.TryGetValue("result", out inside) ? (Dictionary<string, object>)inside : document;
            Door = new LabDoor((string)About["control"]);
        }

        private void Heard(string line)
        {
            if (about == null && line != null && line.StartsWith("{", StringComparison.Ordinal))
            {
                about = line;
                ready.Set();
            }
            else
            {
                Complained(line);
            }
        }

        private void Complained(string line)
        {
            lock (said)
            {
                if (line != null && said.Length < 4000)
                {
                    said.AppendLine(line);
                }
            }
        }

        private static PChatException NotStarted(string happened)
        {
            return PChatException.BadValue(
                happened, "Give the name of a scenario that the module brings, or the path of a scenario file; pchat-lab scenarios lists the names.");
        }

        /// <summary>An argument as both command line parsers take it.</summary>
        private static string Quoted(string argument)
        {
            return "\"" + argument.Replace("\\\"", "\\\\\"").Replace("\"", "\\\"") + "\"";
        }

        /// <summary>The running lab at this control door that this process started, or null.</summary>
        internal static LabProcess Find(string control)
        {
            lock (Running)
            {
                return Running.Find(lab => lab.Door.Address == control);
            }
        }

        /// <summary>Tells the lab to stop and waits for its end; what does not end is ended.</summary>
        public void Dispose()
        {
            lock (Running)
            {
                Running.Remove(this);
                if (disposed)
                {
                    return;
                }
                disposed = true;
            }
            try
            {
                if (Id != 0 && !process.HasExited)
                {
                    if (Door != null)
                    {
                        Door.Ask("stop");
                    }
                    process.StandardInput.Close();
                    if (!process.WaitForExit(EndMilliseconds))
                    {
                        process.Kill();
                    }
                }
            }
            catch (Exception e) when (e is IOException || e is InvalidOperationException || e is FormatException)
            {
                // It has ended meanwhile, or is too ill to answer.
                if (Id != 0 && !process.HasExited)
                {
                    process.Kill();
                }
            }
            process.Dispose();
            ready.Dispose();
        }
    }
}
