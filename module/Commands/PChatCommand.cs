using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>What all commands share: the session, the loop, and how results and errors are written.</summary>
    public abstract class PChatCommand : PSCmdlet, IDisposable
    {
        private Session session;
        private OperationLoop loop;
        private NativeCommandRunner native;

        /// <summary>True where questions are answered by a parameter.</summary>
        internal virtual bool AnswersYes
        {
            get { return false; }
        }

        /// <summary>The settings of the session.</summary>
        internal virtual object SessionSettings
        {
            get { return Session.NoSettings; }
        }

        /// <summary>Adds the logins that this command's parameters give.</summary>
        internal virtual void AddLogins(Session opened)
        {
        }

        internal NativeCommandRunner Native
        {
            get { return native; }
        }

        internal ShellWriter Writer
        {
            get { return loop.Writer; }
        }

        /// <summary>True once the shell wants this command to end.</summary>
        internal bool IsStopping
        {
            get { return Stopping || (loop != null && loop.IsStopping); }
        }

        protected override void BeginProcessing()
        {
            native = new NativeCommandRunner(this, () => loop.Stop());
            loop = new OperationLoop(this, native, () => AnswersYes);
        }

        protected override void StopProcessing()
        {
            OperationLoop running = loop;
            if (running != null)
            {
                running.Stop();
                native.Stop();
            }
        }

        private Session OpenSession()
        {
            if (session == null)
            {
                var opened = new Session(SessionSettings);
                try
                {
                    AddLogins(opened);
                }
                catch
                {
                    // A session without its login would try another one.
                    opened.Dispose();
                    throw;
                }
                session = opened;
            }
            return session;
        }

        /// <summary>The next operation opens a session of its own, with logins of its own.</summary>
        internal void CloseSession()
        {
            if (session != null)
            {
                session.Dispose();
                session = null;
            }
        }

        /// <summary>Carries out one operation. Writes its items, and no error: how it ended comes back.</summary>
        internal Ended Operate(Work work)
        {
            try
            {
                return loop.Run(work, OpenSession().Handle);
            }
            catch (PChatException e)
            {
                return new Ended(e);
            }
        }

        /// <summary>Carries out an operation that reads. A failure becomes a non-terminating error, and null comes back.</summary>
        internal Ended Read(string export, Dictionary<string, object> request, object target, Func<object, bool> item)
        {
            Ended ended = Operate(new Work(export, request) { Item = item });
            if (ended.Failure == null)
            {
                return ended;
            }
            WriteError(ended.Failure.ToErrorRecord(target));
            return null;
        }

        /// <summary>Writes how an operation that changes something ended: its own result, or one made of its failure.</summary>
        internal void WriteEnd(Ended ended, RunResult otherwise)
        {
            try
            {
                WriteRun(ended.Failure == null ? ended.As<RunResult>() : otherwise.Failed(ended.Failure.Error));
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }

        /// <summary>Writes a run's result, then its error with the same code: no failure may end as success.</summary>
        internal void WriteRun(RunResult result)
        {
            WriteObject(result);
            if (result.Error == null && result.ExitCode != RunResult.DoneCode && result.ExitCode != RunResult.NothingToDoCode)
            {
                result.Error = ErrorDocument.OfOutcome(result);
            }
            if (result.Error != null)
            {
                string target = string.IsNullOrEmpty(result.SqlInstance) ? result.PoolFqdn : result.SqlInstance;
                WriteError(new PChatException(result.Error).ToErrorRecord(target));
            }
        }

        /// <summary>Closes what is open; also called where the pipeline was left early.</summary>
        public void Dispose()
        {
            if (loop != null)
            {
                loop.Dispose();
            }
            CloseSession();
        }
    }
}
