using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.ObjectModel;

namespace System.Management.Automation
{
    public enum ActionPreference
    {
        SilentlyContinue,
        Stop,
        Continue,
        Inquire,
        Ignore,
    }

    [Flags]
    public enum CommandTypes
    {
        Alias = 0x0001,
        Function = 0x0002,
        Filter = 0x0004,
        Cmdlet = 0x0008,
        ExternalScript = 0x0010,
        Application = 0x0020,
        Script = 0x0040,
    }

    /// <summary>What an assembly does when its module is imported.</summary>
    public interface IModuleAssemblyInitializer
    {
        void OnImport();
    }

    public class ScriptBlock
    {
        public static ScriptBlock Create(string script)
        {
            return new ScriptBlock();
        }
    }

    public class ParameterMetadata
    {
    }

    public abstract class CommandInfo
    {
        public abstract string Name { get; }

        public abstract string ModuleName { get; }

        public abstract PSModuleInfo Module { get; }

        public abstract Dictionary<string, ParameterMetadata> Parameters { get; }
    }

    public sealed class PSModuleInfo
    {
        public string Name { get; private set; }

        public object PrivateData { get; set; }

        public static PSModuleInfo ForTests(string name, object privateData)
        {
            return new PSModuleInfo { Name = name, PrivateData = privateData };
        }
    }

    public class CommandInvocationIntrinsics
    {
        /// <summary>Tests under mono put native commands here.</summary>
        public static Func<string, CommandInfo> Known { get; set; }

        public CommandInfo GetCommand(string commandName, CommandTypes type)
        {
            return Known == null ? null : Known(commandName);
        }
    }

    public enum PSInvocationState
    {
        NotStarted,
        Running,
        Stopping,
        Stopped,
        Completed,
        Failed,
        Disconnected,
    }

    public sealed class PSInvocationStateInfo
    {
        internal PSInvocationStateInfo(PSInvocationState state)
        {
            State = state;
        }

        public PSInvocationState State { get; private set; }

        public Exception Reason
        {
            get { return null; }
        }
    }

    public sealed class PSInvocationStateChangedEventArgs : EventArgs
    {
        internal PSInvocationStateChangedEventArgs(PSInvocationStateInfo info)
        {
            InvocationStateInfo = info;
        }

        public PSInvocationStateInfo InvocationStateInfo { get; private set; }
    }

    public enum RunspaceMode
    {
        CurrentRunspace,
        NewRunspace,
    }

    public sealed class PowerShell : IDisposable
    {
        private readonly Dictionary<string, object> parameters = new Dictionary<string, object>();
        private readonly PSDataStreams streams = new PSDataStreams();
        private string command;

        public event EventHandler<PSInvocationStateChangedEventArgs> InvocationStateChanged;

        /// <summary>Tests under mono carry native commands out here.</summary>
        public static Func<string, Dictionary<string, object>, IEnumerable<PSObject>> Carrier { get; set; }

        public static PowerShell Create(RunspaceMode runspace)
        {
            return new PowerShell();
        }

        public static PowerShell Create()
        {
            return new PowerShell();
        }

        public System.Management.Automation.Runspaces.Runspace Runspace { get; set; }

        public PSInvocationStateInfo InvocationStateInfo { get; private set; }

        public PSDataStreams Streams
        {
            get { return streams; }
        }

        public PowerShell AddCommand(string cmdlet)
        {
            command = cmdlet;
            return this;
        }

        public PowerShell AddParameter(string parameterName, object value)
        {
            parameters[parameterName] = value;
            return this;
        }

        public Collection<PSObject> Invoke(IEnumerable input, PSInvocationSettings settings)
        {
            return Invoke();
        }

        public Collection<PSObject> Invoke()
        {
            Change(PSInvocationState.Running);
            var results = new Collection<PSObject>();
            foreach (PSObject result in Carrier(command, parameters))
            {
                results.Add(result);
            }
            Change(PSInvocationState.Completed);
            return results;
        }

        public IAsyncResult BeginStop(AsyncCallback callback, object state)
        {
            Change(PSInvocationState.Stopping);
            return null;
        }

        private void Change(PSInvocationState state)
        {
            InvocationStateInfo = new PSInvocationStateInfo(state);
            if (InvocationStateChanged != null)
            {
                InvocationStateChanged(this, new PSInvocationStateChangedEventArgs(InvocationStateInfo));
            }
        }

        public void Dispose()
        {
        }
    }

    public class PSDataCollection<T> : IEnumerable<T>
    {
        private readonly List<T> items = new List<T>();

        public void Add(T item)
        {
            items.Add(item);
        }

        public IEnumerator<T> GetEnumerator()
        {
            return items.GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }
    }

    public sealed class PSDataStreams
    {
        internal PSDataStreams()
        {
            Error = new PSDataCollection<ErrorRecord>();
            Warning = new PSDataCollection<WarningRecord>();
        }

        public PSDataCollection<ErrorRecord> Error { get; set; }

        public PSDataCollection<WarningRecord> Warning { get; set; }
    }

    public abstract class InformationalRecord
    {
        public string Message { get; set; }
    }

    public class WarningRecord : InformationalRecord
    {
        public WarningRecord(string message)
        {
            Message = message;
        }
    }

    public abstract class PSMemberInfo
    {
        public string Name { get; protected set; }

        public abstract object Value { get; set; }
    }

    public abstract class PSPropertyInfo : PSMemberInfo
    {
    }

    public class PSNoteProperty : PSPropertyInfo
    {
        public PSNoteProperty(string name, object value)
        {
            Name = name;
            Value = value;
        }

        public override object Value { get; set; }
    }

    public abstract class PSMemberInfoCollection<T> : IEnumerable<T> where T : PSMemberInfo
    {
        public abstract T this[string name] { get; }

        public abstract void Add(T member);

        public abstract IEnumerator<T> GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }
    }

    internal sealed class NoteProperties : PSMemberInfoCollection<PSPropertyInfo>
    {
        private readonly List<PSPropertyInfo> notes = new List<PSPropertyInfo>();

        public override PSPropertyInfo this[string name]
        {
            get { return notes.Find(n => string.Equals(n.Name, name, StringComparison.OrdinalIgnoreCase)); }
        }

        public override void Add(PSPropertyInfo member)
        {
            notes.Add(member);
        }

        public override IEnumerator<PSPropertyInfo> GetEnumerator()
        {
            return notes.GetEnumerator();
        }
    }

    public class PSObject
    {
        private readonly NoteProperties properties = new NoteProperties();

        public PSObject()
        {
            BaseObject = this;
        }

        public PSObject(object obj)
        {
            BaseObject = obj;
        }

        public object BaseObject { get; private set; }

        public PSMemberInfoCollection<PSPropertyInfo> Properties
        {
            get { return properties; }
        }

        public static PSObject AsPSObject(object obj)
        {
            return obj as PSObject ?? new PSObject(obj);
        }
    }
}

namespace System.Management.Automation.Runspaces
{
    public abstract class Runspace : IDisposable
    {
        public abstract void Open();

        public void Dispose()
        {
        }
    }

    public static class RunspaceFactory
    {
        private sealed class NoRunspace : Runspace
        {
            public override void Open()
            {
            }
        }

        public static Runspace CreateRunspace(InitialSessionState initialSessionState)
        {
            return new NoRunspace();
        }
    }

    public class InitialSessionState
    {
        public static InitialSessionState CreateDefault2()
        {
            return new InitialSessionState();
        }

        public void ImportPSModule(string[] name)
        {
        }
    }
}
