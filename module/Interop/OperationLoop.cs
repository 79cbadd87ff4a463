using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// The one loop of an operation, on the pipeline thread: next, act on the event, answer. It decides nothing.
    /// </summary>
    internal sealed class OperationLoop : IDisposable
    {
        private const uint WaitMilliseconds = 200;
        private const int ActivityId = 0x5043;

        private readonly PSCmdlet cmdlet;
        private readonly NativeCommandRunner native;
        private readonly Func<bool> force;
        private ulong operation;
        private volatile bool stopping;

        internal OperationLoop(PSCmdlet cmdlet, NativeCommandRunner native, Func<bool> force)
        {
            this.cmdlet = cmdlet;
            this.native = native;
            this.force = force;
        }

        /// <summary>Called for each item; what it returns true for is not written to the pipeline.</summary>
        internal Func<string, object, bool> Item { get; set; }

        /// <summary>From the thread that stops the shell. It may come before the operation exists.</summary>
        internal void Stop()
        {
            stopping = true;
            ulong running = operation;
            if (running != 0)
            {
                PchatLibrary.Instance.Cancel(running);
            }
            native.Stop();
        }

        /// <summary>Starts the operation and serves it to its terminal event: the result's kind and tree.</summary>
        /// <exception cref="PChatException">The operation failed.</exception>
        internal KeyValuePair<string, object> Run(string export, ulong session, object request)
        {
            PchatLibrary library = PchatLibrary.Instance;
            operation = library.Start(export, session, Json.Write(request));
            if (stopping)
            {
                library.Cancel(operation);
            }
            bool progressShown = false;
            try
            {
                while (true)
                {
                    bool ended;
                    string text = library.Next(operation, WaitMilliseconds, out ended);
                    if (ended)
                    {
                        throw new InvalidOperationException("The operation ended without a result.");
                    }
                    if (text == null)
                    {
                        continue;
                    }
                    var happened = (Dictionary<string, object>)Json.Read(text);
                    switch ((string)happened["event"])
                    {
                        case "progress":
                            progressShown = true;
                            ShowProgress((Dictionary<string, object>)happened["progress"]);
                            break;
                        case "message":
                            ShowMessage((string)happened["level"], (string)happened["text"]);
                            break;
                        case "item":
                            HandOut((string)happened["kind"], happened["item"]);
                            break;
                        case "question":
                            AnswerQuestion(happened);
                            break;
                        case "native":
                            AnswerNative(happened);
                            break;
                        case "result":
                            return new KeyValuePair<string, object>((string)happened["kind"], happened["result"]);
                        case "failure":
                            throw new PChatException(Document.Read<ErrorDocument>(happened["error"]));
                        default:
                            throw new InvalidOperationException("The library sent an unknown event: " + happened["event"]);
                    }
                }
            }
            finally
            {
                if (progressShown && !stopping)
                {
                    EndProgress();
                }
                Dispose();
            }
        }

        private void HandOut(string kind, object item)
        {
            if (stopping)
            {
                return;
            }
            // As an item, a run is an entry of the journal; as a result, it is how the command ended.
            object typed = Items.Typed(kind == "run" ? "run_summary" : kind, item);
            if (Item == null || !Item(kind, typed))
            {
                cmdlet.WriteObject(typed);
            }
        }

        private void ShowMessage(string level, string text)
        {
            if (stopping)
            {
                // After a stop every Write* throws; the host's own line still reaches the operator.
                if (level == "warning")
                {
                    TellHost(text);
                }
                return;
            }
            switch (level)
            {
                case "warning":
                    cmdlet.WriteWarning(text);
                    break;
                case "verbose":
                    cmdlet.WriteVerbose(text);
                    break;
                default:
                    cmdlet.WriteDebug(text);
                    break;
            }
        }

        internal void TellHost(string text)
        {
            try
            {
                cmdlet.Host.UI.WriteWarningLine(text);
            }
            catch (Exception e)
            {
                // A host without a screen has nobody to tell; the journal holds the state.
                System.Diagnostics.Debug.WriteLine(e);
            }
        }

        private void ShowProgress(Dictionary<string, object> progress)
        {
            if (stopping)
            {
                return;
            }
            string status = (string)progress["status"];
            var record = new ProgressRecord(
                ActivityId, NotEmpty((string)progress["activity"], "Persistent Chat"), NotEmpty(status, "working"));
            record.CurrentOperation = (string)progress["operation"];
            record.PercentComplete = progress["percent"] == null ? -1 : decimal.ToInt32((decimal)progress["percent"]);
            record.SecondsRemaining =
                progress["seconds_remaining"] == null ? -1 : decimal.ToInt32((decimal)progress["seconds_remaining"]);
            cmdlet.WriteProgress(record);
        }

        private void EndProgress()
        {
            var record = new ProgressRecord(ActivityId, "Persistent Chat", "done") { RecordType = ProgressRecordType.Completed };
            cmdlet.WriteProgress(record);
        }

        private static string NotEmpty(string text, string fallback)
        {
            return string.IsNullOrEmpty(text) ? fallback : text;
        }

        private void AnswerQuestion(Dictionary<string, object> happened)
        {
            bool yes = false;
            try
            {
                var question = (Dictionary<string, object>)happened["question"];
                yes = !stopping && (force() || cmdlet.ShouldContinue((string)question["text"], (string)question["caption"]));
            }
            finally
            {
                // No answer, and any exception, is a no: the operation stops and can be resumed.
                Reply(new Dictionary<string, object> { { "id", happened["id"] }, { "kind", "confirm" }, { "yes", yes } });
            }
        }

        private void AnswerNative(Dictionary<string, object> happened)
        {
            object outcome = native.Run((Dictionary<string, object>)happened["command"], stopping);
            Reply(new Dictionary<string, object> { { "id", happened["id"] }, { "kind", "native" }, { "outcome", outcome } });
        }

        private void Reply(Dictionary<string, object> answer)
        {
            try
            {
                PchatLibrary.Instance.Answer(operation, Json.Write(answer));
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
            ulong closing = operation;
            operation = 0;
            if (closing != 0)
            {
                PchatLibrary.Instance.Close(closing);
            }
        }
    }
}
