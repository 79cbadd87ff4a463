using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using System.Threading;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// The one loop of an operation, on the pipeline thread: next, act on the event, answer. It decides nothing.
    /// </summary>
    internal sealed class OperationLoop : IDisposable
    {
        private const uint WaitMilliseconds = 200;

        /// <summary>How long a stopped loop waits for the last words. The promise to the operator is one second.</summary>
        private const long DrainMilliseconds = 700;

        private const long LeastDrainMilliseconds = 150;

        private readonly PSCmdlet cmdlet;
        private readonly ShellWriter writer;
        private readonly NativeCommandRunner native;
        private readonly Func<bool> force;
        private readonly Stopwatch stopped = new Stopwatch();
        private long operation;
        private volatile bool stopping;

        internal OperationLoop(PSCmdlet cmdlet, NativeCommandRunner native, Func<bool> force)
        {
            this.cmdlet = cmdlet;
            this.native = native;
            this.force = force;
            writer = new ShellWriter(cmdlet, () => stopping, Stop);
        }

        internal bool IsStopping
        {
            get { return stopping; }
        }

        internal ShellWriter Writer
        {
            get { return writer; }
        }

        /// <summary>From any thread, also before the operation exists: asks it to stop.</summary>
        internal void Stop()
        {
            stopped.Start();
            stopping = true;
            // Either this side sees the operation, or Run sees the flag after it has set the operation.
            Thread.MemoryBarrier();
            Cancel();
        }

        private void Cancel()
        {
            long running = Interlocked.Read(ref operation);
            if (running != 0)
            {
                PchatLibrary.Instance.Cancel(unchecked((ulong)running));
            }
        }

        /// <summary>Starts the operation and serves it to its end.</summary>
        /// <exception cref="PChatException">It could not be started, or an event could not be read.</exception>
        /// <exception cref="PipelineStoppedException">The shell stopped it; what is to be told has been told.</exception>
        internal Ended Run(Work work, ulong session)
        {
            PchatLibrary library = PchatLibrary.Instance;
            string request = PChatException.Guarded(() => Json.Write(work.Request));
            writer.Message("debug", work.Export + " " + request);
            Interlocked.Exchange(ref operation, unchecked((long)library.Start(work.Export, session, request)));
            if (stopping)
            {
                Cancel();
            }
            var said = new LastWords(work);
            bool left = true;
            try
            {
                Ended ended = Serve(work, said);
                left = false;
                writer.EndProgress();
                if (!stopping)
                {
                    return ended;
                }
                said.Tell(writer, ended);
                throw new PipelineStoppedException();
            }
            finally
            {
                Dispose();
                if (left && !stopping)
                {
                    said.TellLeft(writer);
                }
            }
        }

        /// <summary>The loop itself; null where a stop came and the last word did not come in time.</summary>
        private Ended Serve(Work work, LastWords said)
        {
            var sinceSeen = new Stopwatch();
            while (true)
            {
                if (stopping)
                {
                    if (!work.Changes)
                    {
                        return null;
                    }
                    sinceSeen.Start();
                    if (stopped.ElapsedMilliseconds > DrainMilliseconds && sinceSeen.ElapsedMilliseconds > LeastDrainMilliseconds)
                    {
                        return null;
                    }
                }
                Dictionary<string, object> happened = Next(stopping ? WaitMilliseconds / 4 : WaitMilliseconds);
                if (happened == null)
                {
                    continue;
                }
                switch ((string)happened["event"])
                {
                    case "progress":
                        writer.Progress((Dictionary<string, object>)happened["progress"]);
                        break;
                    case "message":
                        writer.Message((string)happened["level"], (string)happened["text"]);
                        break;
                    case "item":
                        HandOut(work, said, happened);
                        break;
                    case "question":
                        AnswerQuestion(happened);
                        break;
                    case "native":
                        AnswerNative(work, happened);
                        break;
                    case "result":
                        return new Ended((string)happened["kind"], happened["result"]);
                    case "failure":
                        return new Ended(
                            PChatException.Guarded(() => new PChatException(Document.Read<ErrorDocument>(happened["error"]))));
                    default:
                        throw PChatException.Fault(new FormatException("The library sent an unknown event: " + happened["event"]));
                }
            }
        }

        /// <summary>The next event, or null after a time-out.</summary>
        private Dictionary<string, object> Next(uint milliseconds)
        {
            return PChatException.Guarded(() =>
            {
                bool ended;
                string text = PchatLibrary.Instance.Next(unchecked((ulong)operation), milliseconds, out ended);
                if (ended)
                {
                    throw new InvalidOperationException("The operation ended without a result.");
                }
                return text == null ? null : (Dictionary<string, object>)Json.Read(text);
            });
        }

        private void HandOut(Work work, LastWords said, Dictionary<string, object> happened)
        {
            var kind = (string)happened["kind"];
            // As an item, a run is an entry of the journal; as a result, it is how the command ended.
            object typed = PChatException.Guarded(() => Items.Typed(kind == "run" ? "run_summary" : kind, happened["item"]));
            said.Heard(typed);
            Seen.Note(typed);
            var step = typed as StepResult;
            if (step != null)
            {
                writer.Message("verbose", "Step " + step + ", " + step.Milliseconds + " ms. " + step.Text);
            }
            if (work.Item == null || !work.Item(typed))
            {
                writer.Output(typed);
            }
        }

        private void AnswerQuestion(Dictionary<string, object> happened)
        {
            var question = (Dictionary<string, object>)happened["question"];
            bool yes = false;
            try
            {
                yes = !stopping && (force() || cmdlet.ShouldContinue((string)question["text"], (string)question["caption"]));
            }
            catch (PipelineStoppedException)
            {
                Stop();
            }
            catch (Exception e)
            {
                // No way to ask, a host that fails while it asks, or Ctrl+C at the prompt: that is a no. The run stops, and can be resumed.
                writer.Message("warning", "The question could not be asked, which counts as no: " + e.Message);
            }
            finally
            {
                Reply(new Dictionary<string, object> { { "id", happened["id"] }, { "kind", "confirm" }, { "yes", yes } });
            }
        }

        private void AnswerNative(Work work, Dictionary<string, object> happened)
        {
            var command = (Dictionary<string, object>)happened["command"];
            object outcome = null;
            Stopwatch took = Stopwatch.StartNew();
            try
            {
                outcome = native.Run(command, stopping, work.Changes, text => writer.Message("warning", text));
            }
            finally
            {
                if (outcome == null)
                {
                    outcome = NativeCommandRunner.Stopped("the command was left in the middle");
                }
                Reply(new Dictionary<string, object> { { "id", happened["id"] }, { "kind", "native" }, { "outcome", outcome } });
                writer.Message("verbose", command["name"] + ": " + NativeCommandRunner.StateOf(outcome) + ", " +
                    took.ElapsedMilliseconds + " ms");
            }
        }

        private void Reply(Dictionary<string, object> answer)
        {
            try
            {
                PchatLibrary.Instance.Answer(unchecked((ulong)operation), Json.Write(answer));
            }
            catch (PChatException e)
            {
                // A cancel has answered already; the late answer is refused, and that is right.
                if (e.Code != 1005)
                {
                    throw;
                }
            }
        }

        /// <summary>Closes the operation; a running one is cancelled and detached. Also where the pipeline was left early.</summary>
        public void Dispose()
        {
            long closing = Interlocked.Exchange(ref operation, 0);
            if (closing != 0)
            {
                PchatLibrary.Instance.Close(unchecked((ulong)closing));
            }
        }
    }
}
